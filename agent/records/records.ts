import type { Approval } from '../domain/approval.ts'
import type { ApprovalKernel, RecordsStore } from '../ports.ts'
import { type Figures, figuresOf } from './figures.ts'

export interface RecordsQuery {
  from: Date
  to: Date
  service: string | null
  drills: boolean
}

const MOST_INCIDENTS = 5_000
const PAGE = 200
const MOST_PAGES = 25

/** The figures of a window. */
export async function readFigures(
  deps: { records: RecordsStore; approvals: Pick<ApprovalKernel, 'approvals'> },
  query: RecordsQuery,
): Promise<Figures> {
  const [{ items: incidents, isAll }, requests] = await Promise.all([
    deps.records.incidents({ ...query, limit: MOST_INCIDENTS }),
    requestsSince(deps.approvals, query.from),
  ])
  const counted = incidents.filter(({ isDrill }) => query.drills || !isDrill)
  const feedback = await deps.records.feedback(counted.map(({ id }) => id))
  return figuresOf({ ...query, incidents, requests: requests.items, feedback, isWhole: isAll && requests.isAll })
}

/** Requests come newest first, so reading ends with the first page that ends before the window. A page may be empty and lead on all the same. */
async function requestsSince(approvals: Pick<ApprovalKernel, 'approvals'>, from: Date): Promise<{ items: Approval[]; isAll: boolean }> {
  const items: Approval[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const read: { items: Approval[]; next: string | null } = await approvals.approvals({
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    })
    items.push(...read.items)
    cursor = read.next
    const last = read.items.at(-1)
    if (cursor === null || (last && last.createdAt.getTime() < from.getTime())) return { items, isAll: true }
  }
  return { items, isAll: false }
}
