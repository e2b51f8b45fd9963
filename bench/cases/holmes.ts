import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { createRecording } from '../../integrations/recordings/index.ts'
import type { ClusterCase } from './case.ts'

/**
 * The open cases that ask for a cause, with what their authors expect as words; the others ask to count, list or find text.
 */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  '24a_misconfigured_pvc_basic': ['pvc', 'misconfigured'],
  '24b_misconfigured_pvc_detailed': ['redis', 'standard-v2', 'does not exist'],
  '36_argocd_find_resource': ['my-demoshop-namespaces', 'not found'],
  '38_rabbitmq_split_head': ['partition'],
  '54_not_truncated_when_getting_pods': ['fast-fail-pod', 'image'],
  '55_kafka_runbook': ['invoices-app', 'slow', 'email'],
  '65_health_check_followup': ['ready'],
  '03_cpu_throttling': ['frontend-service', 'stress', 'cpu limit'],
  '04_image_pull_backoff': ['yourcompany/crw:latest', 'image'],
  '14_tempo': ['fraud', 'slow', 'database query'],
  '15_dns_resolution': ['default-deny-egress'],
}
const HEALTHY = '65_health_check_followup'

const headSchema = z.object({ tool_name: z.string(), match_params: z.record(z.string(), z.unknown()).nullish() })
const requestSchema = z.object({
  title: z.string(),
  description: z.string().nullish(),
  subject: z.object({ name: z.string().nullish(), namespace: z.string().nullish() }).nullish(),
})

/** `…/<suite>/<case>/{test_case.yaml,*.txt}`: each text file is the answer of one tool, below one line that says which. */
export function readHolmes(dir: string): Promise<ClusterCase[]> {
  const folders = globSync('**/test_case.yaml', { cwd: dir })
    .map((path) => dirname(path))
    .sort()
  const held = folders.filter((folder) => !Object.hasOwn(EXPECTED, basename(folder)))
  // Where none of the known ones is there the cases are held out: then all are answered.
  const asked = held.length === folders.length ? folders : folders.filter((folder) => Object.hasOwn(EXPECTED, basename(folder)))
  return Promise.all(asked.map((folder) => readCase(dir, folder)))
}

async function readCase(dir: string, folder: string): Promise<ClusterCase> {
  const files = globSync('*.txt', { cwd: join(dir, folder) }).sort()
  const answers = files.flatMap((name) => answerIn(readFileSync(join(dir, folder, name), 'utf8')))
  const namespaces = answers.flatMap(({ args }) => (typeof args['namespace'] === 'string' ? [args['namespace']] : []))
  const namespace = namespaces[0] ?? 'default'
  const jsonl = answers.map((answer) => JSON.stringify(answer)).join('\n')
  const state = await createRecording(jsonl, new Date(0)).read({ namespace })
  const request = requestOf(join(dir, folder))
  const about = request?.subject?.name ?? null
  const summary = [request?.title, request?.description].filter(Boolean).join(': ')
  return {
    id: folder,
    suite: 'HolmesGPT',
    state: { ...state, alerts: request ? [{ name: request.title, about, summary, firing: true, since: null }] : state.alerts },
    about: about === null ? [] : [about],
    keywords: EXPECTED[basename(folder)] ?? null,
    isHealthy: Object.hasOwn(EXPECTED, basename(folder)) ? basename(folder) === HEALTHY : null,
  }
}

function requestOf(folder: string): z.infer<typeof requestSchema> | null {
  const [path] = globSync('investigate_request.json', { cwd: folder })
  return path === undefined ? null : requestSchema.parse(JSON.parse(readFileSync(join(folder, path), 'utf8')))
}

interface Told {
  tool: string
  args: Record<string, unknown>
  text: string
}

function answerIn(text: string): Told[] {
  const [first = '', second = '', ...rest] = text.split('\n')
  const head = headSchema.safeParse(jsonOf(first))
  if (!head.success || /"status": "(error|no_data)"/.test(second)) return []
  const { tool_name, match_params } = head.data
  // What a web page says is advice, and nothing of the cluster.
  if (tool_name.includes('webpage')) return []
  const args = { ...match_params }
  const body = rest.join('\n').replaceAll('\\"', '"')
  const name = args['pod_name'] ?? args['name'] ?? args['app_name']
  const common = typeof name === 'string' ? { ...args, name: basename(name) } : args
  const kept = Object.fromEntries(Object.entries(common).filter(([, value]) => typeof value === 'string'))
  return [
    {
      tool: toolOf(tool_name),
      args: toolOf(tool_name) === 'logs' ? { ...kept, app: kept['name'] ?? tool_name.split('_')[1] } : kept,
      text: body,
    },
    ...policiesIn(body, kept),
  ]
}

/** The families of their tools, by what they answer with; what has no family is read as text. */
function toolOf(name: string): string {
  if (/describe/.test(name) && name.startsWith('kubectl')) return 'describe'
  if (/^kubectl_(get_by|find|get_pod)/.test(name)) return 'get'
  if (/yaml/.test(name)) return 'yaml'
  return /tempo_trace/.test(name) ? 'trace' : 'logs'
}

/** A lineage lists policies among what belongs to a pod. */
function policiesIn(text: string, args: Record<string, unknown>): Told[] {
  const names = [...text.matchAll(/NetworkPolicy\/([\w.-]+)/g)].map(([, name]) => name)
  const table = [`${'NAME'.padEnd(80)}POD-SELECTOR`, ...names].join('\n')
  return names.length === 0 ? [] : [{ tool: 'get', args: { kind: 'networkpolicies', namespace: args['namespace'] }, text: table }]
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
