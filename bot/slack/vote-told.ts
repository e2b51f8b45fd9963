import type { Approval, Vote } from '../../agent/domain/approval.ts'
import type { Plan } from '../../agent/domain/plan.ts'
import type { Actor } from '../../agent/domain/principal.ts'
import type { ApprovalKernel } from '../../agent/ports.ts'
import { text } from '../messages/card.ts'
import { code, exact, plainOf, say } from '../messages/span.ts'
import { dayClockWords } from '../messages/time-words.ts'
import type { NewPosting } from './postings.ts'
import { renderBlocks } from './render.ts'

export interface VoteToldDeps {
  say(posting: NewPosting & { body: Record<string, unknown>; thread: string | null }): Promise<boolean>
  /** Accounts of this workspace that a person is linked to now. */
  accountsOf(person: string): Promise<string[]>
  votedBy: ApprovalKernel['votedBy']
  priority: number
}

/**
 * Tells people of each vote in their name, directly, where it stays and rings: whoever has somebody's account or session votes unseen by them
 * otherwise. Each vote is told once to each account, wherever it was cast.
 */
export async function tellVoters({ id, votes, plan }: Approval, { say: put, accountsOf, votedBy, priority }: VoteToldDeps): Promise<void> {
  if (votes.length === 0) return
  const by = await votedBy(id)
  for (const vote of votes) {
    const cast = by.find(({ person, decision }) => person === vote.person && decision === vote.decision)
    if (!cast) continue
    for (const account of await accountsOf(vote.person))
      await put({
        kind: 'vote',
        ref: `${id} ${vote.person} ${vote.decision} ${account}`,
        incidentId: null,
        priority,
        place: account,
        thread: null,
        body: { ...messageOf(vote, cast.account, plan), broadcast: false },
      })
  }
}

function messageOf({ decision, at, person }: Vote, account: Actor, { action, incident, target }: Plan): ReturnType<typeof renderBlocks> {
  const { surface, tenant, externalId } = account
  const done = decision === 'approve' ? 'approved' : 'denied'
  const where = surface === 'slack' ? 'on Slack' : `in ${surface === 'teams' ? 'Teams' : 'the console'}`
  // A session in the console is ended with the account that it signed in; what is taken is taken at once.
  const take = `/sre admin ${surface === 'slack' ? `unlink slack ${tenant} ${externalId}` : `revoke ${person}`}`
  const words = say`You ${done} “${exact(action.title)}” in ${code(target.environment)}, for ${code(incident)}, ${where} at ${dayClockWords(at)}. If that was not you, say ${code('stop')} here at once, and have an admin take it away: ${code(take)}`
  return renderBlocks({ kind: 'answer', ref: '', notification: plainOf(words), blocks: [text(words)] })
}
