import { type Approval, approvalState } from '../domain/approval.ts'
import type { NewFeedback } from '../domain/feedback.ts'
import { ENDED_STATES, type Incident, type IncidentState, type Severity } from '../domain/incident.ts'
import type { Principal } from '../domain/principal.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Verdict } from '../domain/verdicts.ts'
import { haveSameOwners, type Workspace } from '../domain/workspace.ts'
import { normalise } from '../intake/normalise.ts'
import { titleOf } from '../intake/title.ts'
import type { Jobs } from '../jobs.ts'
import type { ApprovalKernel, IncidentStore, PeopleStore } from '../ports.ts'
import type { Topology } from '../topology/inventory.ts'
import { demandResponder } from './demand-responder.ts'
import { handlingOf } from './state.ts'

export interface HandlingDeps {
  approvals: Pick<ApprovalKernel, 'approvals' | 'cancel'>
  incidents: IncidentStore
  /** What whoever asks sees: incidents are looked up here alone, and named of them is what may be read. */
  seen: { incidents: Pick<IncidentStore, 'get' | 'alerts'> }
  people: Pick<PeopleStore, 'may'>
  jobs: Pick<Jobs, 'follow'>
  topology: Topology
  /** Looks again soon, as a job. */
  investigateSoon(incidentId: string): Promise<void>
  /** None while everybody sees everything. */
  workspaces: readonly Workspace[]
  now: () => Date
}

/** An incident after what a person did, and the requests for approval that were withdrawn with it. */
export interface Handled {
  incident: Incident
  withdrawn: Approval[]
}

/**
 * What a responder may do with incidents of the environments they are a responder of. Null everywhere when there is no such incident.
 *
 * @throws Refusal not-authorised, too-late when the incident is over, and what each method names
 */
export interface Handling {
  /** `take`: the agent proposes nothing more in it · `over`: the same, from somebody else · `back`: the agent may again. @throws Refusal already-taken */
  take(incidentId: string, by: Principal, how: 'take' | 'over' | 'back'): Promise<Handled | null>
  /** Until then nothing is proposed and nothing looked into again; that it ended by itself is still seen. Null wakes it. */
  snooze(incidentId: string, by: Principal, until: Date | null, reason: string | null): Promise<Incident | null>
  setSeverity(incidentId: string, by: Principal, severity: Severity, reason: string | null): Promise<Incident | null>
  /** Ends the first as a part of the second. @throws Refusal in-flight, invalid-parameters when the two cannot be one */
  merge(incidentId: string, into: string, by: Principal): Promise<(Handled & { alerts: number }) | null>
  /** Alerts by name, service or key get an incident of their own. @throws Refusal invalid-parameters */
  split(incidentId: string, alerts: readonly string[], by: Principal): Promise<{ incident: Incident; opened: Incident } | null>
  /** @throws Refusal invalid-parameters before there is a diagnosis */
  giveFeedback(incidentId: string, by: Principal, feedback: Omit<NewFeedback, 'person'>): Promise<Incident | null>
  /**
   * Ends an incident by a person's word, for what telemetry cannot tell.
   *
   * @throws Refusal in-flight while an action is under way
   */
  resolve(incidentId: string, by: Principal, reason: string | null, verdict?: Verdict | null): Promise<Handled | null>
}

const APPROVALS_READ = 50
const SHOWN = 6
/** Nothing is under way in these. */
const RESOLVABLE: readonly IncidentState[] = ['open', 'investigating', 'observing', 'awaiting-approval']
const UNDER_WAY: readonly unknown[] = ['authorised', 'executing']
const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  fixed: 'Closed as fixed',
  'false-alarm': 'Closed as a false alarm',
  duplicate: 'Closed as a duplicate',
  'wont-fix': 'Closed without a fix',
}

export function createHandling(deps: HandlingDeps): Handling {
  const { approvals, incidents, seen, now } = deps
  const mine = async (incidentId: string, by: Principal): Promise<Incident | null> => {
    const incident = await seen.incidents.get(incidentId)
    if (!incident) return null
    await demandResponder(deps.people, by, incident)
    return incident
  }
  const open = async (incidentId: string, by: Principal): Promise<Incident | null> => {
    const incident = await mine(incidentId, by)
    if (incident && ENDED_STATES.includes(incident.state)) throw new Refusal('too-late', 'The incident is over already.')
    return incident
  }
  const approvalsOf = async (incidentId: string): Promise<Approval[]> =>
    (await approvals.approvals({ incidentId, limit: APPROVALS_READ })).items
  const cancelWaiting = async (
    incidentId: string,
    by: Principal,
    reason: string,
    which: (approval: Approval) => boolean = () => true,
  ): Promise<Approval[]> => {
    const waiting = (await approvalsOf(incidentId)).filter((approval) => approval.requestState === 'pending' && which(approval))
    for (const approval of waiting) await approvals.cancel(approval.id, by.id, reason)
    return waiting
  }
  const handled = async (incidentId: string, withdrawn: Approval[]): Promise<Handled | null> => {
    const incident = await incidents.get(incidentId)
    return incident && { incident, withdrawn }
  }
  const demandNothingUnderWay = async (incidentId: string, what: string): Promise<void> => {
    const busy = (await approvalsOf(incidentId)).find((approval) => UNDER_WAY.includes(approvalState(approval)))
    if (busy) throw new Refusal('in-flight', `${busy.plan.action.title} is under way; ${what} the incident once it ended.`)
  }
  const record = async (incident: Incident, event: Parameters<IncidentStore['record']>[1]): Promise<Incident | null> => {
    await incidents.record(incident.id, event)
    return await incidents.get(incident.id)
  }

  return {
    async take(incidentId, by, how) {
      const incident = await open(incidentId, by)
      if (!incident) return null
      const detail = { person: by.id, name: by.name }
      if (how === 'back') {
        const text = `${by.name} gave it back: Steadyhand may propose actions again.`
        const isFree = await incidents.record(incidentId, {
          kind: 'incident-given-back',
          text,
          detail,
          unless: (timeline) => handlingOf(timeline, now()).taken === null,
        })
        if (!isFree) throw new Refusal('invalid-parameters', 'Nobody has taken this incident.')
        await deps.investigateSoon(incidentId)
        return await handled(incidentId, [])
      }
      let holder: { by: string; name: string } | null = null
      await incidents.record(incidentId, {
        kind: 'incident-taken',
        text: `${by.name} took it: Steadyhand proposes nothing more in it.`,
        detail,
        unless: (timeline) => {
          holder = handlingOf(timeline, now()).taken
          return holder !== null && (holder.by === by.id || how === 'take')
        },
      })
      demandOwn(holder, by, how)
      const withdrawn = await cancelWaiting(incidentId, by, `${by.name} took the incident`, ({ plan }) => plan.requester === null)
      await deps.jobs.follow(incidentId)
      return await handled(incidentId, withdrawn)
    },

    async snooze(incidentId, by, until, reason) {
      const incident = await open(incidentId, by)
      if (!incident) return null
      const detail = { person: by.id, name: by.name, until: until?.toISOString() ?? null, reason }
      if (until === null) return await record(incident, { kind: 'incident-woken', text: `${by.name} ended the snooze.`, detail })
      const text = `${by.name} snoozed it until ${until.toISOString().slice(0, 16).replace('T', ' ')} UTC${reason === null ? '' : `: ${reason}`}.`
      return await record(incident, { kind: 'incident-snoozed', text, detail })
    },

    async setSeverity(incidentId, by, severity, reason) {
      const incident = await open(incidentId, by)
      if (!incident) return null
      if (incident.severity === severity) throw new Refusal('invalid-parameters', `It is Sev ${severity} already.`)
      const words = `set to Sev ${severity} by ${by.name}${reason === null ? '' : `: ${reason}`}`
      return await record(incident, {
        kind: 'severity-changed',
        text: `Severity ${words} (it was Sev ${incident.severity}).`,
        detail: { person: by.id, from: incident.severity, to: severity, reason },
        severity: { severity, reason: `${words}; before: ${incident.severityReason}` },
      })
    },

    async merge(incidentId, into, by) {
      if (incidentId === into) throw new Refusal('invalid-parameters', 'An incident cannot be merged into itself.')
      const [part, whole] = [await open(incidentId, by), await mine(into, by)]
      if (!part) return null
      demandOneTrouble(part, whole, into)
      if (!haveSameOwners(deps.workspaces, part, whole))
        throw new Refusal('invalid-parameters', 'They belong to different workspaces, and other people would read it.')
      const words = `${by.name} merged it into ${into}`
      const first = await cancelWaiting(incidentId, by, words)
      await demandNothingUnderWay(incidentId, 'merge')
      const alerts = await incidents.merge({ id: incidentId, into, person: by, from: RESOLVABLE })
      if (alerts === null) throw new Refusal('in-flight', 'Something happened to one of them at this moment; look again.')
      const withdrawn = [...first, ...(await cancelWaiting(incidentId, by, words))]
      await deps.investigateSoon(into)
      return { incident: (await incidents.get(into)) ?? part, alerts, withdrawn }
    },

    async split(incidentId, wanted, by) {
      const incident = await open(incidentId, by)
      if (!incident) return null
      const [alerts, inventory] = await Promise.all([incidents.alerts(incidentId), deps.topology.inventory()])
      const names = wanted.map((word) => word.toLowerCase())
      const leaving = alerts.filter(({ key, name, service }) =>
        [key, name, service ?? ''].some((said) => said !== '' && names.includes(said.toLowerCase())),
      )
      const [first] = leaving
      if (!first)
        throw new Refusal(
          'invalid-parameters',
          `No alert of it is called that. ${namedWords(await seen.incidents.alerts(incidentId), alerts)}`,
        )
      const placed = normalise({ ...first, environment: incident.environment }, inventory)
      const opened = await incidents.split({ id: incidentId, alerts: leaving, person: by, title: titleOf(placed), service: placed.service })
      if (!opened) throw new Refusal('invalid-parameters', 'At least one alert has to stay, and the incident has to be open.')
      await Promise.all([deps.investigateSoon(opened.id), deps.investigateSoon(incidentId)])
      return { incident, opened }
    },

    async giveFeedback(incidentId, by, feedback) {
      const incident = await mine(incidentId, by)
      if (!incident) return null
      if (await incidents.addFeedback(incidentId, { ...feedback, person: by })) return incident
      throw new Refusal('invalid-parameters', 'There is no diagnosis yet that could be right or wrong.')
    },

    async resolve(incidentId, by, reason, verdict = null) {
      const incident = await open(incidentId, by)
      if (!incident) return null
      const how = verdict === null ? 'Resolved' : VERDICT_WORDS[verdict]
      const words = `${how} by ${by.name}${reason === null ? '' : `: ${reason}`}`
      const first = await cancelWaiting(incidentId, by, words)
      await demandNothingUnderWay(incidentId, 'resolve')
      const event = { kind: 'incident-resolved', text: `${words}.`, detail: { verdict: verdict ?? 'person', person: by.id, reason } }
      if (!(await incidents.record(incidentId, { ...event, state: 'resolved', from: RESOLVABLE })))
        throw new Refusal('in-flight', 'Something happened to it at this moment; look again.')
      // An investigation that was under way may have asked in between.
      return await handled(incidentId, [...first, ...(await cancelWaiting(incidentId, by, words))])
    },
  }
}

function demandOwn(holder: { by: string; name: string } | null, by: Principal, how: 'take' | 'over'): void {
  if (holder === null || (how === 'over' && holder.by !== by.id)) return
  if (holder.by === by.id) throw new Refusal('already-taken', 'You have it yourself.')
  throw new Refusal('already-taken', `${holder.name} has it; say "over" to take it over.`)
}

function demandOneTrouble(part: Incident, whole: Incident | null, into: string): asserts whole is Incident {
  if (!whole) throw new Refusal('invalid-parameters', `There is no incident ${into} to merge it into.`)
  if (ENDED_STATES.includes(whole.state)) throw new Refusal('invalid-parameters', `${into} is over; merge into one that is open.`)
  if (whole.environment !== part.environment)
    throw new Refusal('invalid-parameters', `They are of different environments: ${part.environment} and ${whole.environment}.`)
  if (whole.drillRun !== part.drillRun)
    throw new Refusal('invalid-parameters', 'A drill is never one with a real incident or another drill.')
}

function namedWords(read: readonly { name: string }[], all: readonly unknown[]): string {
  const names = [...new Set(read.map(({ name }) => name))]
  if (names.length === 0) return all.length === 0 ? 'There are: none.' : 'Its alerts are not read in this workspace.'
  const more = names.length - SHOWN
  return `There are: ${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}
