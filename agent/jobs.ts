import { createFollowUp } from './actions/follow-up.ts'
import { judgeByHand } from './actions/judge-by-hand.ts'
import { moveByApprovals, wantsFreshCard } from './actions/lifecycle.ts'
import { type ProposeDeps, propose } from './actions/propose.ts'
import type { Crashpoint } from './crashpoint.ts'
import type { Alert } from './domain/alert.ts'
import type { Approval } from './domain/approval.ts'
import { ENDED_STATES } from './domain/incident.ts'
import { type HandlingState, handlingOf, heldBy } from './handling/state.ts'
import type { Delivery } from './intake/pipeline.ts'
import type { Diagnosis } from './investigation/investigate.ts'
import type { Investigation } from './investigation/investigation.ts'
import type { Log } from './log.ts'
import type { ApprovalKernel, IncidentStore } from './ports.ts'
import { createSweep } from './sweep.ts'

/** A delivery's bytes to alerts. @throws Error with words about what is wrong with the body. */
export type AlertParser = (body: Uint8Array, headers: Readonly<Record<string, string>>) => Alert[]

export interface Work {
  kind: 'intake' | 'investigate' | 'refine' | 'sweep'
  payload: Record<string, unknown>
  /** The same work waits once. */
  dedupe: string
}

/** A delivery as it was stored. */
interface Delivered {
  id: number
  source: string
  body: Uint8Array
  headers: Record<string, string>
}

export interface JobsDeps {
  incidents: IncidentStore
  kernel: ApprovalKernel
  inbox: {
    /** The first of these, the oldest first, as many as fit into 4 MiB and at least one. */
    some(ids: readonly number[]): Promise<Delivered[]>
    markProcessed(...ids: readonly number[]): Promise<void>
    markFailed(id: number, error: string): Promise<void>
  }
  intake: { takeAll(deliveries: readonly Delivery[], signal: AbortSignal): Promise<{ opened: string[] }> }
  investigation: Investigation
  parsers: ReadonlyMap<string, AlertParser>
  proposing: ProposeDeps
  enqueue(work: Work): Promise<void>
  crashpoint: Crashpoint
  log: Log
}

const APPROVALS_READ = 50

/** The steps between a stored delivery and a card that asks; each is a job, so that a crash resumes from rows. */
export interface Jobs {
  intake(payloads: readonly { inboxId: number }[], signal: AbortSignal): Promise<void>
  investigate(payload: { incidentId: string; asked?: { requester: string | null } | undefined }, signal: AbortSignal): Promise<void>
  /** Lets a model look at what was found, where one is configured; what rules found stands meanwhile, and is acted on. */
  refine(payload: { incidentId: string; asked: boolean }, signal: AbortSignal): Promise<void>
  /** Looks after every incident that is not over: what a crash left waiting goes on, what nobody acts on is watched, and what people finish elsewhere is told. Safe to run at any time. */
  sweep(signal: AbortSignal): Promise<void>
  /** Moves an incident to where its approvals have it, and plans what follows from that. */
  follow(incidentId: string): Promise<void>
  /** Looks again because a person asked, whatever was tried or refused before. Null when nothing is to be asked. */
  lookAgain(incidentId: string, requester: string | null, signal: AbortSignal): Promise<Approval | null>
  /** The same as a job, for nobody in particular. */
  investigateSoon(incidentId: string): Promise<void>
}

export function createJobs(deps: JobsDeps): Jobs {
  const { incidents, kernel } = deps
  const approvalsOf = async (incidentId: string): Promise<Approval[]> =>
    (await kernel.approvals({ incidentId, limit: APPROVALS_READ })).items
  const investigateSoon = async (incidentId: string): Promise<void> =>
    await deps.enqueue({ kind: 'investigate', payload: { incidentId }, dedupe: `investigate:${incidentId}` })

  const refineSoon = async (incidentId: string, asked: boolean): Promise<void> => {
    if (deps.investigation.refines) await deps.enqueue({ kind: 'refine', payload: { incidentId, asked }, dedupe: `refine:${incidentId}` })
  }

  const handling = async (incidentId: string): Promise<HandlingState> =>
    handlingOf(await incidents.timeline(incidentId), deps.proposing.now())

  const nothingProposed = async (incidentId: string, words: string): Promise<null> => {
    await incidents.record(incidentId, { kind: 'nothing-proposed', text: `Nothing is proposed. ${words}` })
    return null
  }

  const proposeFrom = async (
    incidentId: string,
    diagnosis: Diagnosis,
    asked: { requester: string | null } | null,
  ): Promise<Approval | null> => {
    const incident = await incidents.get(incidentId)
    if (!incident || ENDED_STATES.includes(incident.state)) return null
    const held = asked === null ? heldBy(await handling(incidentId)) : null
    if (held) return await nothingProposed(incidentId, held.words)
    const [top] = diagnosis.hypotheses
    if (!top || diagnosis.symptomActive === false)
      return await nothingProposed(incidentId, 'The symptom is not there at the moment; it is watched.')
    const proposal = await propose(deps.proposing, {
      incident,
      hypothesis: top,
      corroborated: diagnosis.corroborated,
      symptom: diagnosis.symptom,
      approvals: await approvalsOf(incidentId),
      requester: asked?.requester ?? null,
      asked: asked !== null,
    })
    deps.crashpoint('C4')
    if (proposal.result !== 'asked') return await nothingProposed(incidentId, proposal.words)
    // Somebody may have taken it since it was looked at: of the two, one sees the other.
    const meanwhile = asked === null ? heldBy(await handling(incidentId)) : null
    if (meanwhile) await kernel.cancel(proposal.approval.id, meanwhile.by, meanwhile.words)
    await follow(incidentId)
    return meanwhile ? null : proposal.approval
  }

  const lookAndPropose = async (
    incidentId: string,
    asked: { requester: string | null } | null,
    signal: AbortSignal,
  ): Promise<Approval | null> => {
    const incident = await incidents.get(incidentId)
    if (!incident || ENDED_STATES.includes(incident.state)) return null
    const diagnosis = await deps.investigation.run(incidentId, signal)
    deps.crashpoint('C3')
    await refineSoon(incidentId, asked !== null)
    return await proposeFrom(incidentId, diagnosis, asked)
  }

  const follow = async (incidentId: string): Promise<void> => {
    const [incident, approvals] = await Promise.all([incidents.get(incidentId), approvalsOf(incidentId)])
    if (!incident) return
    const move = moveByApprovals(incident.state, approvals)
    // Two may follow at once: the one that comes second finds the incident moved, and says nothing.
    const moved =
      move && (await incidents.record(incidentId, { kind: 'state-changed', text: move.text, state: move.state, from: [incident.state] }))
    if (moved && move.state === 'observing' && wantsFreshCard(approvals)) await investigateSoon(incidentId)
  }

  /** A body that cannot be read now cannot be read at the next attempt either: it is kept, counted, and can be replayed. */
  const readable = async ({ id, source, body, headers }: Delivered): Promise<(Delivery & { inboxId: number })[]> => {
    const parse = deps.parsers.get(source)
    try {
      if (!parse) throw new Error(`nothing reads deliveries from ${source}`)
      return [{ alerts: parse(body, headers), inboxId: id }]
    } catch (error) {
      await deps.inbox.markFailed(id, error instanceof Error ? error.message : String(error))
      return []
    }
  }
  const takeIn = async (items: readonly Delivered[], signal: AbortSignal): Promise<void> => {
    const deliveries = (await Promise.all(items.map(readable))).flat()
    if (deliveries.length === 0) return
    const { opened } = await deps.intake.takeAll(deliveries, signal)
    for (const incidentId of opened) await investigateSoon(incidentId)
    await deps.inbox.markProcessed(...deliveries.map(({ inboxId }) => inboxId))
  }

  const lookAfter = async (id: string, signal: AbortSignal): Promise<void> => {
    await follow(id)
    const incident = await incidents.get(id)
    if (!incident) return
    const { state } = incident
    // A job that is still waiting or running for it makes this one nothing.
    if (state === 'open' || state === 'investigating') await investigateSoon(id)
    if (state !== 'observing') return
    const approvals = await approvalsOf(id)
    if (await judgeByHand({ incidents, catalog: deps.proposing.catalog, now: deps.proposing.now }, incident, approvals, signal)) return
    const acted = approvals.some(({ execution }) => execution?.events.some((event) => event.state === 'sent'))
    const onlyItsEnd = (await handling(id)).snoozed !== null
    const watched = await deps.investigation.watch(id, signal, { acted, onlyItsEnd })
    if (watched.result === 'investigated') await proposeFrom(id, watched.diagnosis, null)
  }

  const { now, catalog } = deps.proposing
  const sweep = createSweep({ incidents, lookAfter, now, log: deps.log })
  const followUp = createFollowUp({ approvals: kernel, incidents, catalog, now, log: deps.log })
  return {
    follow,
    investigateSoon,

    async intake(payloads, signal) {
      deps.crashpoint('C2')
      let waiting = payloads.map(({ inboxId }) => inboxId)
      while (waiting.length > 0) {
        const items = await deps.inbox.some(waiting)
        // What is no longer stored needs nothing.
        if (items.length === 0) return
        await takeIn(items, signal)
        waiting = waiting.filter((id) => !items.some((item) => item.id === id))
      }
    },

    async investigate({ incidentId, asked = null }, signal) {
      await lookAndPropose(incidentId, asked, signal)
    },

    refine: async (about, signal) => await deps.investigation.refine(about, signal),

    async sweep(signal) {
      await sweep(signal)
      await followUp(signal)
    },

    lookAgain: async (incidentId, requester, signal) => await lookAndPropose(incidentId, { requester }, signal),
  }
}
