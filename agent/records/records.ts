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
  const [incidents, requests] = await Promise.all([
    deps.records.incidents({ ...query, limit: MOST_INCIDENTS }),
    requestsSince(deps.approvals, query.from),
  ])
  const counted = incidents.filter(({ isDrill }) => query.drills || !isDrill)
  return figuresOf({ ...query, incidents, requests, feedback: await deps.records.feedback(counted.map(({ id }) => id)) })
}

/** Requests come newest first, so reading ends with the first page that begins before the window. */
async function requestsSince(approvals: Pick<ApprovalKernel, 'approvals'>, from: Date): Promise<Approval[]> {
  const found: Approval[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const read: { items: Approval[]; next: string | null } = await approvals.approvals({
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    })
    found.push(...read.items)
    cursor = read.next
    if (cursor === null || (read.items.at(-1)?.createdAt.getTime() ?? 0) < from.getTime()) break
  }
  return found
}
