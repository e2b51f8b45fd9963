import type { Plan } from '../../../agent/domain/plan.ts'
import { UNGUARDED } from '../../support/fake-cloud/actions/provider.ts'
import type { Call, LedgerLine } from '../../support/fake-cloud/ledger.ts'
import type { ExecutionFact, Facts } from './facts.ts'

/** What an era came to, in numbers. */
export interface Counts {
  requests: number
  votes: number
  executions: number
  calls: number
  effects: number
  undos: number
  aborted: number
  unknown: number
  notices: number
}

/**
 * Joins what the cloud wrote down with what the database, the journal and the people know. Nothing here asks the product: it has the ledger's word
 * and the rows. Returns one sentence for each broken promise.
 */
export function judge(facts: Facts): string[] {
  return [
    ...facts.violations,
    ...callsWithoutRight(facts),
    ...doubled(facts),
    ...wrongTarget(facts),
    ...withoutQuorum(facts),
    ...untold(facts),
    ...untrue(facts),
    ...outsideTheJournal(facts),
    ...lost(facts),
  ]
}

export function countsOf({ executions, requests, votes, ledger, notices }: Facts): Counts {
  const reached = (state: string): number => executions.filter(({ events }) => events.includes(state)).length
  return {
    requests: requests.length,
    votes: votes.length,
    executions: executions.length,
    calls: callsIn(ledger).length,
    effects: appliedIn(ledger).length,
    undos: executions.filter(({ planId, rootPlanId }) => planId !== rootPlanId).length,
    aborted: reached('aborted'),
    unknown: reached('unknown'),
    notices: notices.length,
  }
}

function callsIn(ledger: readonly LedgerLine[]): Call[] {
  return ledger.filter(({ line }) => line === 'called').map(({ call }) => call)
}

function appliedIn(ledger: readonly LedgerLine[]): Call[] {
  return ledger.filter(({ line }) => line === 'applied').map(({ call }) => call)
}

/** Every call that arrived belongs to an execution whose `sent` is committed. */
function callsWithoutRight({ ledger, executions }: Facts): string[] {
  const sent = new Set(executions.filter(({ events }) => events.includes('sent')).map(({ id }) => id))
  return callsIn(ledger)
    .filter(({ witness }) => !sent.has(witness.executionId))
    .map(({ kind, witness }) => `${kind}: called for ${witness.executionId}, which was never sent`)
}

/** One call for an execution, and one effect. A copy that the network made of an unguarded call is not ours. */
function doubled({ ledger }: Facts): string[] {
  const calls = countBy(callsIn(ledger), ({ witness }) => witness.executionId)
  const effects = countBy(appliedIn(ledger), ({ kind, callId, witness }) => (UNGUARDED.has(kind) ? callId : witness.executionId))
  return [
    ...[...calls].filter(([, count]) => count > 1).map(([id, count]) => `execution ${id} made ${count} calls`),
    ...[...effects].filter(([, count]) => count > 1).map(([id, count]) => `${id} took effect ${count} times`),
  ]
}

/** What was changed is what the plan named, with its values. */
function wrongTarget({ ledger, executions }: Facts): string[] {
  const plans = new Map(executions.map(({ id, canonical }) => [id, JSON.parse(canonical) as Plan]))
  return appliedIn(ledger)
    .filter(({ kind, name, parameters, witness }) => {
      const plan = plans.get(witness.executionId)
      return (
        plan?.id !== witness.planId ||
        plan.action.kind !== kind ||
        plan.target.name !== name ||
        Object.keys({ ...plan.parameters, ...parameters }).some((key) => plan.parameters[key] !== parameters[key])
      )
    })
    .map(({ kind, name, witness }) => `${witness.executionId} changed ${kind} ${name}, which its plan does not say`)
}

/** Distinct people who approved these bytes, counted from the votes alone. */
function withoutQuorum({ ledger, executions, requests, votes }: Facts): string[] {
  const called = new Set(callsIn(ledger).map(({ witness }) => witness.executionId))
  return executions
    .filter(({ id, rootPlanId }) => {
      const request = requests.find(({ planId }) => planId === rootPlanId)
      if (!called.has(id)) return false
      const mine = votes.filter(({ requestId, digest }) => requestId === request?.id && digest === request.digest)
      const people = new Set(mine.filter(({ decision }) => decision === 'approve').map(({ person }) => person))
      return !request || people.size < request.needed || mine.some(({ decision }) => decision === 'deny')
    })
    .map(({ id }) => `${id} was called without its quorum`)
}

/** Every ending and every "unknown" has its notice. */
function untold({ executions, requests, notices }: Facts): string[] {
  const told = new Set(notices)
  const endings = executions.flatMap(({ id, events, terminal, state }) => [
    ...(events.includes('unknown') ? [`notice:execution:${id}:unknown`] : []),
    ...(terminal ? [`notice:execution:${id}:${state}`] : []),
  ])
  const decisions = requests.filter(({ state }) => state !== 'superseded').map(({ id, state }) => `notice:request:${id}:${state}`)
  return [...endings, ...decisions].filter((dedupe) => !told.has(dedupe)).map((dedupe) => `nobody was told: ${dedupe}`)
}

/** Where an execution ended is what the ledger says happened. */
function untrue({ ledger, executions }: Facts): string[] {
  const done = new Set(appliedIn(ledger).map(({ witness }) => witness.executionId))
  return executions
    .filter(({ terminal }) => terminal)
    .filter((execution) => done.has(execution.id) !== claimsEffect(execution))
    .map(({ id, events }) => `${id} took ${done.has(id) ? 'effect' : 'no effect'} and is told as ${events.join(' ')}`)
}

function claimsEffect({ events }: ExecutionFact): boolean {
  return events.includes('succeeded')
}

/** The journal knows every call, and nothing that was not sent. */
function outsideTheJournal({ ledger, journal, executions }: Facts): string[] {
  const written = new Set(journal.map(({ executionId, planId }) => `${executionId} ${planId}`))
  const sent = new Set(executions.filter(({ events }) => events.includes('sent')).map(({ planId, digest }) => `${planId} ${digest}`))
  return [
    ...callsIn(ledger)
      .filter(({ witness }) => !written.has(`${witness.executionId} ${witness.planId}`))
      .map(({ witness }) => `${witness.executionId} was called and is not in the journal`),
    ...journal.filter(({ planId, digest }) => !sent.has(`${planId} ${digest}`)).map(({ planId }) => `the journal is ahead: ${planId}`),
  ]
}

/** What people were told had happened is there, and whatever was authorised came to an end. */
function lost({ acks, requests, votes, executions, unclaimed }: Facts): string[] {
  const known = new Map(requests.map((request) => [request.id, request]))
  const cast = new Set(votes.map(({ requestId, person, decision }) => `${requestId} ${person} ${decision}`))
  const gone = acks.filter((ack) => {
    if (!known.has(ack.requestId)) return true
    if (ack.ack === 'voted') return !cast.has(`${ack.requestId} ${ack.person} ${ack.decision}`)
    return ack.ack === 'cancelled' && known.get(ack.requestId)?.state !== 'cancelled'
  })
  return [
    ...gone.map((ack) => `lost: ${JSON.stringify(ack)}`),
    ...unclaimed.map((id) => `lost: authorisation ${id} was never taken up`),
    ...executions.filter(({ terminal }) => !terminal).map(({ id, state }) => `lost: ${id} stays ${state}`),
  ]
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}
