import type { Agent } from '../../agent/agent.ts'
import type { Approval, Decision } from '../../agent/domain/approval.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { agentFor, type Caller } from '../identity.ts'
import { refusalText } from '../messages/notice.ts'
import { exactWords } from '../messages/visible-text.ts'
import { demand } from '../permissions.ts'
import { othersWhoMay } from '../who-may.ts'
import type { Click } from './clickable.ts'
import type { PostingRows } from './postings.ts'

/** A press of a card's button, with where it was made. */
export interface PlacedClick {
  click: Click
  channel: string
  message: string
}

export interface VotesDeps {
  agent: Agent
  postings: Pick<PostingRows, 'at'>
}

type Person = Extract<Caller, { kind: 'person' }>

/** What is decided on cards. Each returns what the person who pressed is told. The kernel decides; this carries who, which plan, and from where. */
export interface Votes {
  /** The request whose card this is. @throws Refusal wrong-place, unknown-approval */
  requestOf(placed: PlacedClick): Promise<Approval>
  cast(
    placed: PlacedClick,
    caller: Person,
    said: { decision: Decision; confirm: string | null; reason: string | null; clickId: string },
  ): Promise<string>
  keep(placed: PlacedClick, caller: Person): Promise<string>
  checkAgain(placed: PlacedClick, caller: Person): Promise<string>
  /** A "no" in words, and who may, where that helps. */
  refused(refusal: Refusal, requestId: string | null): Promise<string>
}

export function createVotes({ agent, postings }: VotesDeps): Votes {
  const seenBy = (caller: Person, { channel }: PlacedClick): Agent => agentFor(agent, caller, channel)
  const requestOf: Votes['requestOf'] = async ({ click, channel, message }) => {
    const posting = await postings.at('slack', channel, message)
    // A card that was copied or forwarded, or a value that somebody made: neither is the message that was shown.
    if (posting?.kind !== 'approval' || posting.ref !== click.ref || posting.nonce !== click.nonce) throw new Refusal('wrong-place')
    const approval = await agent.approval(click.ref)
    if (!approval) throw new Refusal('unknown-approval')
    return approval
  }
  /** Who is refused here is refused by a card, not by a call: it is kept under the same names. */
  const noted = async <Answer>(what: string, { click }: PlacedClick, { person }: Person, act: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await act()
    } catch (error) {
      if (error instanceof Refusal) await agent.noteRefusal(error, { person: person.id, what, requestId: click.ref })
      throw error
    }
  }
  return {
    requestOf,
    async cast(placed, caller, { clickId, ...said }) {
      const { actor } = caller
      const { id } = await requestOf(placed)
      const { channel: place, click } = placed
      const deliveryKey = `slack:${actor.tenant}:${actor.externalId}:${id}:${said.decision}:${clickId}`
      const vote = { requestId: id, digest: click.digest ?? '', ...said, actor, place, deliveryKey }
      return recorded(await noted('vote', placed, caller, async () => await seenBy(caller, placed).vote(vote)), said.decision)
    },
    async keep(placed, caller) {
      const { id } = await requestOf(placed)
      const { plan } = await noted('keepChange', placed, caller, async () => await seenBy(caller, placed).keep(id, caller.actor))
      return `Recorded: ${exactWords(plan.action.title)} is kept as it is; its undo will not run.`
    },
    async checkAgain(placed, caller) {
      const { person } = caller
      const fresh = await noted('checkAgain', placed, caller, async () => {
        demand(person.roles, 'check-again')
        const { id } = await requestOf(placed)
        return await seenBy(caller, placed).checkAgain(id, person)
      })
      return fresh === null
        ? 'There is nothing to ask about again.'
        : `Looked again: ${exactWords(fresh.plan.action.title)} is asked on a card of its own.`
    },
    async refused(refusal, requestId) {
      const { code, detail } = refusal
      const whoMay = await othersWhoMay(agent, refusal, requestId)
      const names = new Map((await agent.people()).map(({ id, name }) => [id, name]))
      return refusalText(
        code,
        detail,
        whoMay.map(({ id }) => id),
        (id) => names.get(id) ?? id,
      )
    },
  }
}

function recorded({ plan, votes, requestState }: Approval, decision: Decision): string {
  const title = exactWords(plan.action.title)
  if (decision === 'deny') return `Recorded: you denied “${title}”. Nothing of it runs.`
  const have = votes.filter((vote) => vote.decision === 'approve').length
  const next = requestState === 'pending' ? `${have} of ${plan.approval.needed} approved so far.` : 'It runs now, once.'
  return `Recorded: you approved “${title}”. ${next}`
}
