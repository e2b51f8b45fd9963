import { writeFileSync } from 'node:fs'
import { diagnoseCluster } from '../../agent/diagnosis/cluster/diagnose-cluster.ts'
import type { Finding } from '../../agent/diagnosis/cluster/finding.ts'
import { distribution, type Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import type { ClusterCase } from './case.ts'
import { readHolmes } from './holmes.ts'
import { readOpensre } from './opensre.ts'
import { readRecordings } from './recordings.ts'

/** Recorded clusters, diagnosed by rules alone. Without labels it prints times only. */
export async function run({ data, out }: BenchOptions): Promise<readonly Figure[]> {
  if (data === null) throw new Error('cases needs --data DIR: unpacked opensre or HolmesGPT cases, or recordings.')
  const cases = [...readOpensre(data), ...(await readHolmes(data)), ...(await readRecordings(data))]
  if (cases.length === 0) throw new Error(`${data} holds none of the known cases.`)
  const done = cases.map(diagnoseCase)
  if (out !== null) writeFileSync(out, done.map(({ line }) => `${JSON.stringify(line)}\n`).join(''))
  return [...Map.groupBy(done, ({ suite }) => suite)].flatMap(([suite, own]) => figuresOf(suite, own))
}

interface Done {
  suite: string
  isLabelled: boolean
  isRight: boolean
  ms: number
  line: object
}

function diagnoseCase(one: ClusterCase): Done {
  const began = performance.now()
  const answer = answerTo(one)
  const ms = performance.now() - began
  const isLabelled = one.keywords !== null
  const isRight = isLabelled && holds(one, answer)
  const line = { case: one.id, ...answer, actions: [], ms: Math.round(ms), tokens: 0, ...(isLabelled ? { right: isRight } : {}) }
  return { suite: one.suite, isLabelled, isRight, ms, line }
}

interface Answer {
  class: string
  component: string
  abstained: boolean
  text: string
  error?: string
}

function answerTo({ state, about }: ClusterCase): Answer {
  try {
    const [first] = diagnoseCluster(state, about)
    if (!first) throw new Error('A diagnosis without a finding.')
    return { class: first.class, component: first.component, abstained: first.class === 'unknown', text: inWords(first) }
  } catch (error) {
    return { class: 'unknown', component: '', abstained: true, text: '', error: String(error) }
  }
}

/** The finding and the words it rests on, as a card shows them. */
function inWords({ class: cause, words, quotes }: Finding): string {
  return [`${cause.replaceAll('_', ' ')}: ${words}`, ...quotes.map((quote) => `“${quote}”`)].join('\n')
}

const HEALTHY: ReadonlySet<string> = new Set(['resolved_by_itself', 'false_alarm', 'transient'])

function holds({ keywords, isHealthy }: ClusterCase, answer: Answer): boolean {
  const said = answer.text.toLowerCase()
  const hasAll = (keywords ?? []).every((keyword) => said.includes(keyword.toLowerCase()))
  return hasAll && (isHealthy === null || isHealthy === HEALTHY.has(answer.class))
}

function figuresOf(suite: string, done: readonly Done[]): Figure[] {
  const labelled = done.filter(({ isLabelled }) => isLabelled)
  const right = labelled.filter(({ isRight }) => isRight).length
  return [
    ...(labelled.length === 0
      ? []
      : [{ name: `${suite}: right by its keywords`, value: right / labelled.length, unit: '', n: labelled.length }]),
    distribution(
      `${suite}: one diagnosis`,
      'ms',
      done.map(({ ms }) => ms),
    ),
  ]
}
