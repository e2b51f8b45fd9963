import { ASKED_BY_PERSON } from '../domain/alert.ts'
import { type Approval, approvalState } from '../domain/approval.ts'
import type { Incident, IncidentEvent } from '../domain/incident.ts'
import { plainBoundWords } from '../domain/metric-words.ts'
import type { IncidentStore } from '../ports.ts'
import type { Catalog } from './catalog.ts'
import { readMetric } from './read-checks.ts'
import { checkOf, type Judgement, judge } from './verify.ts'

export interface JudgeByHandDeps {
  incidents: Pick<IncidentStore, 'alerts' | 'timeline' | 'record'>
  catalog: Pick<Catalog, 'find'>
  now: () => Date
}

const JUDGED = 'contract-judged'

/**
 * An incident that a person opened by asking for something has no alert of its own that could end, so nothing says when it is over. Once its newest
 * request ended, what that plan was to bring about is judged by the metrics of its contract, whoever mended it: held, the incident is over; else it stays
 * open for a person, who is told why, once. Returns whether it is such an incident, which needs no watching beyond this.
 */
export async function judgeByHand(
  deps: JudgeByHandDeps,
  incident: Incident,
  approvals: readonly Approval[],
  signal: AbortSignal,
): Promise<boolean> {
  const alerts = await deps.incidents.alerts(incident.id)
  if (alerts.length === 0 || alerts.some(({ source }) => source !== ASKED_BY_PERSON)) return false
  const newest = approvals.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0] ?? null
  const isJudged = (timeline: readonly IncidentEvent[]): boolean =>
    timeline.some(({ kind, detail }) => kind === JUDGED && detail['approval'] === (newest?.id ?? null))
  if (isJudged(await deps.incidents.timeline(incident.id))) return true
  const judgement = newest === null ? null : await judgementOf(deps, newest, signal)
  if (judgement?.verdict === 'waiting') return true
  const isOver = judgement?.verdict === 'verified'
  await deps.incidents.record(incident.id, {
    kind: JUDGED,
    text: newest !== null && isOver ? overWords(newest, judgement.words) : openWords(incident.id, judgement?.words ?? null),
    detail: { approval: newest?.id ?? null, verdict: judgement?.verdict ?? 'undetermined' },
    ...(isOver ? { state: 'healed', from: ['observing'] } : {}),
    unless: isJudged,
  })
  return true
}

/** By metrics alone: the state that the contract asks for may be another way to the same health. */
async function judgementOf(
  { catalog, now }: JudgeByHandDeps,
  { plan, ...ended }: Approval,
  signal: AbortSignal,
): Promise<Judgement | null> {
  const entry = catalog.find(plan.action.kind, plan.action.version)
  if (!entry || plan.success.metrics.length === 0) return null
  const from = ended.execution?.events.at(-1)?.at ?? ended.decidedAt ?? ended.createdAt
  const window = { from, to: new Date(Math.min(now().getTime(), from.getTime() + plan.success.withinSeconds * 1_000)) }
  const checks = plan.success.metrics.map(async (bound) => ({
    ...checkOf(bound),
    readings: await readMetric(entry, plan.target, bound, window, signal),
  }))
  return judge({ ...plan.success, state: [], settleSeconds: 0 }, await Promise.all(checks), from, now())
}

function overWords(approval: Approval, words: string): string {
  const run = approvalState(approval) === 'done' ? 'did not bring it about by itself' : 'was not run'
  const checks = approval.plan.success.metrics.map(plainBoundWords).join(', ')
  return `${approval.plan.action.title} ${run}, and what it was for is so without it: ${checks} (${words}).`
}

function openWords(id: string, words: string | null): string {
  return `It stays open: ${words ?? 'nothing measures what it was opened for'}. Once it is over, say: close ${id} as fixed.`
}
