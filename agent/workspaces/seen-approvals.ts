import type { Approval } from '../domain/approval.ts'
import { Refusal } from '../domain/refusal.ts'
import type { ApprovalKernel, IncidentStore } from '../ports.ts'

const READ_AT_ONCE = 100
const MOST_PAGES = 25

/** Requests of incidents that are seen; any other is answered like one that is not there. */
export function seenApprovals(kernel: ApprovalKernel, incidents: Pick<IncidentStore, 'get'>): ApprovalKernel {
  const approval = async (requestId: string): Promise<Approval | null> => {
    const found = await kernel.approval(requestId)
    return found && (await incidents.get(found.incidentId)) ? found : null
  }
  const demand = async (requestId: string): Promise<void> => {
    if ((await approval(requestId)) === null) throw new Refusal('unknown-approval')
  }
  return {
    ...kernel,
    approval,
    approvals: async (query) => await readSeen(kernel, incidents, query),
    whoMay: async (requestId) => ((await approval(requestId)) ? await kernel.whoMay(requestId) : []),
    async vote(input) {
      await demand(input.requestId)
      return await kernel.vote(input)
    },
    async cancel(requestId, by, reason) {
      await demand(requestId)
      return await kernel.cancel(requestId, by, reason)
    },
    async keep(requestId, actor) {
      await demand(requestId)
      return await kernel.keep(requestId, actor)
    },
  }
}

/** As many as were asked for, read from as many pages as that takes, within bounds; the id of the last one that was looked at leads on. */
async function readSeen(
  kernel: Pick<ApprovalKernel, 'approvals'>,
  incidents: Pick<IncidentStore, 'get'>,
  query: Parameters<ApprovalKernel['approvals']>[0],
): Promise<{ items: Approval[]; next: string | null }> {
  if (query.incidentId !== undefined)
    return (await incidents.get(query.incidentId)) ? await kernel.approvals(query) : { items: [], next: null }
  const isSeen = new Map<string, boolean>()
  const items: Approval[] = []
  let from: string | null = query.cursor ?? null
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await kernel.approvals({ ...query, limit: READ_AT_ONCE, ...(from === null ? {} : { cursor: from }) })
    for (const found of page.items) {
      from = found.id
      if (!isSeen.has(found.incidentId)) isSeen.set(found.incidentId, (await incidents.get(found.incidentId)) !== null)
      if (isSeen.get(found.incidentId)) items.push(found)
      if (items.length === query.limit) return { items, next: page.next === null && found === page.items.at(-1) ? null : from }
    }
    if (page.next === null) return { items, next: null }
  }
  return { items, next: from }
}
