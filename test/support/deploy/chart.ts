import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { renderTemplates } from './go-template.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'deploy', 'helm', 'steadyhand')
const read = (...path: string[]): string => readFileSync(join(FOLDER, ...path), 'utf8')

/** An object of the rendered chart, as far as tests look at it. */
export interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string }
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever is there and compare it
  spec: any
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
  roleRef: { name: string }
  subjects: { name: string }[]
  data: Record<string, string>
}

/** What is installed with these values over the chart's own. */
export function renderChart(values: Readonly<Record<string, unknown>> = {}): Manifest[] {
  const templates = readdirSync(join(FOLDER, 'templates')).sort()
  const { name, version, appVersion } = parse(read('Chart.yaml'))
  const rendered = renderTemplates(Object.fromEntries(templates.map((file) => [file, read('templates', file)])), {
    Values: over(parse(read('values.yaml')), values),
    Release: { Name: 'oncall', Namespace: 'sre', Revision: 3 },
    Chart: { Name: name, Version: version, AppVersion: appVersion },
  })
  return Object.entries(rendered).flatMap(([file, text]) =>
    parseAllDocuments(text).flatMap((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}\n${text}`)
      const object = document.toJS()
      return object === null ? [] : [object]
    }),
  )
}

/** As Helm merges values: maps key by key, everything else whole. */
function over(base: Record<string, unknown>, change: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged = { ...base }
  for (const [key, value] of Object.entries(change))
    merged[key] = isMap(value) && isMap(base[key]) ? over(base[key] as Record<string, unknown>, value) : value
  return merged
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
