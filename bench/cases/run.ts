import { createHash } from 'node:crypto'
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
  return [...Map.groupBy(done, ({ suite }) => suite)].flatMap(([suite, own]) => [...figuresOf(suite, own), ...labelFigures(suite, own)])
}

interface Done {
  suite: string
  isLabelled: boolean
  isRight: boolean
  ms: number
  line: object
  /** Null where there is no label to compare with. */
  agreed: { class: boolean; both: boolean; isSetAside: boolean } | null
}

function diagnoseCase(one: ClusterCase): Done {
  const began = performance.now()
  const answer = answerTo(one)
  const ms = performance.now() - began
  const isLabelled = one.keywords !== null
  const isRight = isLabelled && holds(one, answer)
  const line = {
    case: one.id,
    ...answer,
    actions: [],
    ms: Math.round(ms),
    tokens: 0,
    ...(isLabelled ? { right: isRight } : {}),
    ...(one.label && { label: one.label }),
  }
  return { suite: one.suite, isLabelled, isRight, ms, line, agreed: agreedOf(one, answer) }
}

function agreedOf({ id, label }: ClusterCase, answer: Answer): Done['agreed'] {
  if (!label) return null
  const isSame = label.class === answer.class
  return { class: isSame, both: isSame && label.component === answer.component, isSetAside: isSetAside(id) }
}

/** Every third case, by its id: rules are never mended on these. */
function isSetAside(id: string): boolean {
  return (createHash('sha256').update(id).digest()[0] ?? 0) % 3 === 0
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

/** How often the class, and the class and the component, are those of the label: on the cases that rules are mended on, and on those set aside. */
function labelFigures(suite: string, done: readonly Done[]): Figure[] {
  const compared = done.flatMap(({ agreed }) => agreed ?? [])
  const parts = [
    ['', compared],
    [' (open)', compared.filter((each) => !each.isSetAside)],
    [' (set aside)', compared.filter((each) => each.isSetAside)],
  ] as const
  return parts.flatMap(([part, cases]) =>
    cases.length === 0
      ? []
      : [
          { name: `${suite}: class and component right${part}`, value: shareOf(cases, ({ both }) => both), unit: '', n: cases.length },
          { name: `${suite}: class right${part}`, value: shareOf(cases, (each) => each.class), unit: '', n: cases.length },
        ],
  )
}

function shareOf<T>(list: readonly T[], holds: (each: T) => boolean): number {
  return list.filter(holds).length / list.length
}
