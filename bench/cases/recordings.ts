import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { createRecording } from '../../integrations/recordings/index.ts'
import type { ClusterCase } from './case.ts'

const caseSchema = z.object({ question: z.string().default(''), namespace: z.string(), at: z.string() })

/** `<case>/case.json` and `<case>/recordings.jsonl`. */
export function readRecordings(dir: string): Promise<ClusterCase[]> {
  const folders = globSync('**/recordings.jsonl', { cwd: dir })
    .map((path) => dirname(path))
    .sort()
  return Promise.all(folders.map((folder) => readCase(dir, folder)))
}

async function readCase(dir: string, folder: string): Promise<ClusterCase> {
  const { question, namespace, at } = caseSchema.parse(JSON.parse(readFileSync(join(dir, folder, 'case.json'), 'utf8')))
  const state = await createRecording(readFileSync(join(dir, folder, 'recordings.jsonl'), 'utf8'), new Date(at)).read({ namespace })
  const names = [...new Set([...(state.workloads ?? []), ...(state.services ?? [])].map(({ name }) => name))]
  return { id: folder, suite: 'recordings', state, about: names.filter((name) => question.includes(name)), keywords: null, isHealthy: null }
}
