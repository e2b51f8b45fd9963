import type { Span, TraceSummary, TracesPort } from '../../../integrations/ports/traces.ts'
import type { TracesContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { type Answer, askSource, type WarningLog } from '../ask-source.ts'
import { condenseTrace } from '../condense-trace.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

interface Source {
  id: string
  traces: TracesPort
}
type Opened = Awaited<ReturnType<TracesPort['open']>>

const MAX_TRACES = 10
const MAX_SERVICES = 20
const MAX_NAME = 120
const MAX_FAILURE = 200
/** What counts as slow where no alert says so. */
const SLOW_MS = 1_000
const MAX_SLOW_MS = 600_000
/** What stands for services that not everybody who reads the incident may see. */
const ELSEWHERE = 'another service'

/** One item per source: which traces of the service failed or were slow, and the worst of them. */
export async function collectTraces(
  { id, traces }: Source,
  service: string,
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence> {
  const slowMs = slowFrom(scope, service)
  const query = { service, from: scope.from, to: scope.to, slowMs, limit: MAX_TRACES, signal }
  const [failed, slow] = await Promise.all(
    (['failed', 'slow'] as const).map((which) => askSource(() => traces.search({ ...query, which }), signal, log)),
  )
  const found = [...tracesOf(failed, 'failed'), ...tracesOf(slow, 'slow')].filter(isFirst).slice(0, 2 * MAX_TRACES)
  const worst = worstOf(found)
  const opened = worst ? await askSource(() => traces.open(worst.id, signal), signal, log) : null
  const answers = [failed, slow].flatMap((answer) => answer ?? [])
  const content: TracesContent = {
    service,
    slowMs,
    traces: found.map((trace) => namedIn(trace, scope)),
    opened: opened?.ok && opened.value ? condensed(opened.value, worst?.id ?? '', scope) : null,
    failed: [...wordsOfHalf('failed', failed), ...wordsOfHalf('slow', slow), ...(opened && !opened.ok ? [opened.words] : [])],
  }
  const answered = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  const [first] = answered
  const isWhole = answered.length === answers.length
  const denied = answers.some((answer) => !answer.ok && answer.status === 'denied')
  return {
    ...frameOf(id, scope),
    status: found.length > 0 ? 'ok' : isWhole ? 'empty' : denied ? 'denied' : 'failed',
    summary: found.length > 0 || isWhole ? summaryOf(content) : `traces of ${service}: ${content.failed.join('; ')}`,
    query: answered.map((answer) => answer.query).join('\n') || `failed and slow traces of ${service}`,
    link: (opened?.ok ? opened.value?.link : null) ?? first?.link ?? null,
    content,
  }
}

/** One trace by its id, when the service took part in it: with an id alone nothing is told of whatever else the server keeps. */
export async function openTrace(
  { id, traces }: Source,
  { service, trace }: { service: string; trace: string },
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence> {
  const answer = await askSource(() => traces.open(trace, signal), signal, log)
  const content: TracesContent = { service, slowMs: slowFrom(scope, service), traces: [], opened: null, failed: [] }
  const frame = { ...frameOf(id, scope), query: `trace ${trace}`, link: null, content }
  if (!answer.ok)
    return { ...frame, status: answer.status, summary: `trace ${trace}: ${answer.words}`, content: { ...content, failed: [answer.words] } }
  const took = answer.value?.spans.some((span) => span.service === service) ?? false
  if (!answer.value || !took) return { ...frame, status: 'empty', summary: `no trace ${trace} in which ${service} took part is known` }
  const opened = condensed(answer.value, trace, scope)
  return {
    ...frame,
    status: 'ok',
    summary: openedWords(opened),
    query: answer.value.query,
    link: answer.value.link,
    content: { ...content, opened },
  }
}

function frameOf(source: string, { from, to }: Scope): Pick<NewEvidence, 'kind' | 'source' | 'trust' | 'from' | 'to'> {
  // Names of operations and words of failures hold what users sent, as log lines do.
  return { kind: 'traces', source, trust: 'log', from, to }
}

/** An alert about latency says itself what is slow. */
function slowFrom({ trigger }: Scope, service: string): number {
  const isLatency = trigger?.service === service && trigger.comparator === '>' && ['latency_p99', 'latency_p50'].includes(trigger.metric)
  const ms = isLatency ? Math.round(trigger.threshold * 1_000) : SLOW_MS
  return Math.min(Math.max(1, ms), MAX_SLOW_MS)
}

type Which = TracesContent['traces'][number]['which']
function wordsOfHalf(which: Which, answer: Answer<unknown> | undefined): string[] {
  return answer && !answer.ok ? [`which ones ${which === 'failed' ? 'failed' : 'were slow'} could not be read: ${answer.words}`] : []
}

type FoundTrace = TraceSummary & { which: Which }

function tracesOf(answer: Answer<{ traces: TraceSummary[] }> | undefined, which: Which): FoundTrace[] {
  return answer?.ok ? answer.value.traces.slice(0, MAX_TRACES).map((trace) => ({ ...trace, which })) : []
}

/** A trace that failed and was slow is found twice. */
function isFirst({ id }: FoundTrace, at: number, all: readonly FoundTrace[]): boolean {
  return all.findIndex((other) => other.id === id) === at
}

/** The one that failed in the most places; where none did, the slowest. */
function worstOf(found: readonly FoundTrace[]): FoundTrace | null {
  const weight = ({ which, failedSpans }: FoundTrace): number => (which === 'failed' ? 1 + (failedSpans ?? 0) : 0)
  return found.toSorted((a, b) => weight(b) - weight(a) || b.ms - a.ms)[0] ?? null
}

function mayName({ inventory, near }: Scope, service: string): boolean {
  if (!inventory.bounded || near.includes(service) || inventory.graph.services.has(service)) return true
  return inventory.workloads.some((workload) => workload.service === service)
}

function namedIn({ startedAt, ...trace }: FoundTrace, scope: Scope): TracesContent['traces'][number] {
  const isNamed = trace.service === null || mayName(scope, trace.service)
  return {
    ...trace,
    at: startedAt.toISOString(),
    service: trace.service === null ? null : isNamed ? oneLine(trace.service, MAX_NAME) : ELSEWHERE,
    operation: trace.operation !== null && isNamed ? oneLine(trace.operation, MAX_NAME) : null,
    services: trace.services
      .filter((name) => mayName(scope, name))
      .slice(0, MAX_SERVICES)
      .map((name) => oneLine(name, MAX_NAME)),
  }
}

function condensed({ spans, omitted }: NonNullable<Opened>, id: string, scope: Scope): NonNullable<TracesContent['opened']> {
  const told = spans.map((span): Span => {
    if (mayName(scope, span.service)) return span
    return { ...span, service: ELSEWHERE, operation: '', failure: span.failure === null ? null : '' }
  })
  const { lines, ...rest } = condenseTrace(id, told, omitted)
  return {
    ...rest,
    lines: lines.map((line) => ({
      ...line,
      service: oneLine(line.service, MAX_NAME),
      operation: oneLine(line.operation, MAX_NAME),
      failure: line.failure === null ? null : oneLine(line.failure, MAX_FAILURE),
    })),
  }
}

function summaryOf({ service, slowMs, traces, opened, failed }: TracesContent): string {
  const count = (which: Which): number => traces.filter((trace) => trace.which === which).length
  const [failing, slow] = [count('failed'), count('slow')]
  const missing = failed.length > 0 ? `; ${failed[0]}` : ''
  if (traces.length === 0) return `${service}: no trace that failed or took ${slowMs} ms or more${missing}`
  const words = [
    ...(failing > 0 ? [`${failing} ${failing === 1 ? 'trace' : 'traces'} failed`] : []),
    ...(slow > 0 ? [`${slow} took ${slowMs} ms or more`] : []),
  ]
  return `${service}: ${words.join(', ')}${opened ? `; ${openedWords(opened)}` : ''}${missing}`
}

/** Where the trace spent its time, and the deepest place where it failed. That need not be why the rest did: a miss that is borne with counts too. */
function openedWords({ id, lines, spans }: NonNullable<TracesContent['opened']>): string {
  const failed = lines.filter((line) => line.failed > 0).toSorted((a, b) => b.depth - a.depth)[0]
  const longest = lines.toSorted((a, b) => b.ownMs - a.ownMs)[0]
  const where = ({ service, operation }: { service: string; operation: string }): string =>
    `${service}${operation === '' ? '' : ` ${operation}`}`
  return [
    `trace ${id.slice(0, 8)} of ${spans} ${spans === 1 ? 'span' : 'spans'}`,
    ...(failed ? [`deepest failure in ${where(failed)}${failed.failure ? ` (“${failed.failure}”)` : ''}`] : []),
    ...(longest ? [`spent ${longest.ownMs} ms in ${where(longest)}`] : []),
  ].join(', ')
}
