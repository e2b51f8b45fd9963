import { type Approval, approvalState } from '../domain/approval.ts'
import { ENDED_STATES, type Incident, type IncidentState } from '../domain/incident.ts'
import type { Principal } from '../domain/principal.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Jobs } from '../jobs.ts'
import type { ApprovalKernel, IncidentStore, PeopleStore } from '../ports.ts'

export interface ByPersonDeps {
  approvals: ApprovalKernel
  incidents: IncidentStore
  people: Pick<PeopleStore, 'may'>
  jobs: Pick<Jobs, 'follow' | 'lookAgain'>
}

/** What a responder may do beside votes, in the environments they are a responder of. */
export interface ByPerson {
  /** @throws Refusal unknown-approval, not-authorised, already-decided, too-late */
  cancel(requestId: string, by: Principal, reason: string): Promise<Approval>
  /**
   * A fresh plan for a request that ended without anybody's "no" and without running: observes the target again and asks again. Null when
   * there is nothing to ask.
   *
   * @throws Refusal unknown-approval, not-authorised, denied
   */
  checkAgain(requestId: string, by: Principal): Promise<Approval | null>
  /**
   * Ends an incident by a person's word, for what telemetry cannot tell. Null when there is no such incident.
   *
   * @throws Refusal not-authorised, in-flight while an action is under way, too-late when it is over
   */
  resolve(incidentId: string, by: Principal, reason: string | null): Promise<Incident | null>
}

const LOOK_TIMEOUT_MS = 10_000
const APPROVALS_READ = 50
const RESOLVABLE: readonly IncidentState[] = ['open', 'investigating', 'observing', 'awaiting-approval']
const UNDER_WAY: readonly unknown[] = ['authorised', 'executing']
const REPEATABLE: readonly unknown[] = ['expired', 'aborted', 'cancelled']

export function createByPerson({ approvals, incidents, people, jobs }: ByPersonDeps): ByPerson {
  const demandResponder = async (by: Principal, environment: string): Promise<void> => {
    if (await people.may(by.id, 'responder', environment)) return
    throw new Refusal('not-authorised', `This needs the role responder in ${environment}.`)
  }
  const asked = async (requestId: string, by: Principal): Promise<Approval> => {
    const approval = await approvals.approval(requestId)
    if (!approval) throw new Refusal('unknown-approval')
    await demandResponder(by, approval.plan.target.environment)
    return approval
  }
  const approvalsOf = async (incidentId: string): Promise<Approval[]> =>
    (await approvals.approvals({ incidentId, limit: APPROVALS_READ })).items
  const cancelWaiting = async (incidentId: string, by: Principal, reason: string): Promise<void> => {
    for (const { id, requestState } of await approvalsOf(incidentId))
      if (requestState === 'pending') await approvals.cancel(id, by.id, reason)
  }

  return {
    async cancel(requestId, by, reason) {
      await asked(requestId, by)
      const approval = await approvals.cancel(requestId, by.id, reason)
      await jobs.follow(approval.incidentId)
      return approval
    },

    async checkAgain(requestId, by) {
      const approval = await asked(requestId, by)
      if (approval.requestState === 'denied') throw new Refusal('denied', 'It is not asked again.')
      if (!REPEATABLE.includes(approvalState(approval))) return null
      return await jobs.lookAgain(approval.incidentId, approval.plan.requester, AbortSignal.timeout(LOOK_TIMEOUT_MS))
    },

    async resolve(incidentId, by, reason) {
      const incident = await incidents.get(incidentId)
      if (!incident) return null
      await demandResponder(by, incident.environment)
      if (ENDED_STATES.includes(incident.state)) throw new Refusal('too-late', 'The incident is over already.')
      const words = `Resolved by ${by.name}${reason === null ? '' : `: ${reason}`}`
      await cancelWaiting(incidentId, by, words)
      const busy = (await approvalsOf(incidentId)).find((approval) => UNDER_WAY.includes(approvalState(approval)))
      if (busy) throw new Refusal('in-flight', `${busy.plan.action.title} is under way; resolve the incident once it ended.`)
      const event = { kind: 'incident-resolved', text: `${words}.`, detail: { verdict: 'person', person: by.id, reason } }
      if (!(await incidents.record(incidentId, { ...event, state: 'resolved', from: RESOLVABLE })))
        throw new Refusal('in-flight', 'Something happened to it at this moment; look again.')
      // An investigation that was under way may have asked in between.
      await cancelWaiting(incidentId, by, words)
      return await incidents.get(incidentId)
    },
  }
}
