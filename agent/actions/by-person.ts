import { type Approval, approvalState } from '../domain/approval.ts'
import type { Principal } from '../domain/principal.ts'
import { Refusal } from '../domain/refusal.ts'
import { demandResponder } from '../handling/demand-responder.ts'
import type { Jobs } from '../jobs.ts'
import type { ApprovalKernel, IncidentStore, PeopleStore } from '../ports.ts'

export interface ByPersonDeps {
  approvals: ApprovalKernel
  incidents: Pick<IncidentStore, 'get'>
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
}

const LOOK_TIMEOUT_MS = 10_000
const REPEATABLE: readonly unknown[] = ['expired', 'aborted', 'cancelled']

export function createByPerson({ approvals, incidents, people, jobs }: ByPersonDeps): ByPerson {
  const asked = async (requestId: string, by: Principal): Promise<Approval> => {
    const approval = await approvals.approval(requestId)
    const incident = approval && (await incidents.get(approval.incidentId))
    if (!incident) throw new Refusal('unknown-approval')
    const { service } = incident
    await demandResponder(people, by, { service, environment: approval.plan.target.environment })
    return approval
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
  }
}
