import type { Approval, Decision, RequestState } from '../domain/approval.ts'
import type { Actor } from '../domain/principal.ts'
import { Refusal } from '../domain/refusal.ts'
import type { ApprovalKernel, PeopleStore } from '../ports.ts'

/** While a request is in one of these, it went as whoever said this wanted. */
const WENT_SO: Readonly<Record<Decision, readonly RequestState[]>> = { approve: ['pending', 'authorised'], deny: ['denied'] }

/**
 * The refusal of a vote, as whoever cast it is told of it. Who pressed twice, or here after they pressed elsewhere, did nothing wrong: it is 'already-voted',
 * with when they said it. Where somebody else decided otherwise since, that is what they have to know.
 */
export async function asOwnVote(
  error: unknown,
  { requestId, decision, actor }: { requestId: string; decision: Decision; actor: Actor },
  { approvals, people }: { approvals: Pick<ApprovalKernel, 'approval'>; people: Pick<PeopleStore, 'byActor'> },
): Promise<unknown> {
  if (!(error instanceof Refusal && (error.code === 'already-decided' || error.code === 'already-voted'))) return error
  const [approval, person] = await Promise.all([approvals.approval(requestId), people.byActor(actor)])
  const words = approval && person ? ownVoteWords(approval, person.id, decision) : null
  return words === null ? error : new Refusal('already-voted', words)
}

function ownVoteWords({ votes, requestState }: Approval, person: string, decision: Decision): string | null {
  const own = votes.find((vote) => vote.person === person && vote.decision === decision)
  if (own === undefined || !WENT_SO[decision].includes(requestState)) return null
  return `You ${decision === 'approve' ? 'approved' : 'denied'} this at ${own.at.toISOString().slice(11, 16)} UTC.`
}
