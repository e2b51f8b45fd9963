import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { createRecording } from '../../integrations/recordings/index.ts'
import type { CaseLabel, ClusterCase } from './case.ts'

const caseSchema = z.object({ question: z.string().default(''), namespace: z.string(), at: z.string() })

const labelSchema = z.object({ case: z.string(), class: z.string(), component: z.string() })

/** `<case>/case.json` and `<case>/recordings.jsonl`; where the cases are one's own, `labels.jsonl` beside them. */
export function readRecordings(dir: string): Promise<ClusterCase[]> {
  const folders = globSync('**/recordings.jsonl', { cwd: dir })
    .map((path) => dirname(path))
    .sort()
  const labels = readLabels(join(dir, 'labels.jsonl'))
  return Promise.all(folders.map((folder) => readCase(dir, folder, labels.get(folder))))
}

function readLabels(path: string): Map<string, CaseLabel> {
  if (!existsSync(path)) return new Map()
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return new Map(lines.map((line) => labelSchema.parse(JSON.parse(line))).map(({ case: id, ...label }) => [id, label]))
}

async function readCase(dir: string, folder: string, label: CaseLabel | undefined): Promise<ClusterCase> {
  const { question, namespace, at } = caseSchema.parse(JSON.parse(readFileSync(join(dir, folder, 'case.json'), 'utf8')))
  const state = await createRecording(readFileSync(join(dir, folder, 'recordings.jsonl'), 'utf8'), new Date(at)).read({ namespace })
  const names = [...new Set([...(state.workloads ?? []), ...(state.services ?? [])].map(({ name }) => name))]
  const about = names.filter((name) => question.includes(name))
  return { id: folder, suite: 'recordings', state, about, keywords: null, isHealthy: null, ...(label ? { label } : {}) }
}
