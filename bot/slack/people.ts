import type { Agent } from '../../agent/agent.ts'
import type { Actor } from '../../agent/domain/principal.ts'
import { REFUSALS } from '../../agent/domain/refusal.ts'
import type { Caller } from '../identity.ts'
import { type Account, SlackFailure, type SlackWeb } from './slack-api.ts'
import type { Workspace } from './workspace.ts'

/** Somebody of the workspace who is linked to a person, or why they may do nothing here, in words for them. */
export type Standing = { ok: true; caller: Extract<Caller, { kind: 'person' }> } | { ok: false; words: string }

export interface SlackPeople {
  /**
   * @param teamId the workspace of the account, as Slack signed it
   * @param fresh ask Slack now, whatever was heard a moment ago
   * @param toHold for what lets less happen, not more: while Slack does not answer, the link and what was heard last are enough
   */
  standing(who: { userId: string; teamId: string | null }, options?: { fresh?: boolean; toHold?: boolean }): Promise<Standing>
}

export interface SlackPeopleDeps {
  web: Pick<SlackWeb, 'account'>
  agent: Pick<Agent, 'person'>
  workspace: () => Promise<Workspace>
  now: () => Date
}

/** What Slack said of an account counts for so long: who is deactivated there can act here for no longer. */
const STATUS_MS = 300_000
const MOST_KEPT = 1_000

/** Who clicks or speaks: known by a link that was made deliberately, never by an address or a name, and only while Slack says that they are a member. */
export function createSlackPeople({ web, agent, workspace, now }: SlackPeopleDeps): SlackPeople {
  const heard = new Map<string, { at: number; account: Account }>()
  const accountOf = async (userId: string, fresh: boolean): Promise<Account> => {
    const last = heard.get(userId)
    if (!fresh && last && now().getTime() - last.at < STATUS_MS) return last.account
    const account = await web.account(userId)
    heard.delete(userId)
    heard.set(userId, { at: now().getTime(), account })
    for (const [oldest] of heard) if (heard.size > MOST_KEPT) heard.delete(oldest)
    return account
  }
  return {
    async standing({ userId, teamId }, { fresh = false, toHold = false } = {}) {
      const { teamId: tenant } = await workspace()
      if (teamId !== tenant) return no('Only members of this workspace can do that; your account is of another one.')
      const actor: Actor = { surface: 'slack', tenant, externalId: userId }
      const person = await agent.person(actor)
      if (!person?.active) return no(`${REFUSALS['not-linked']} Your account here: surface slack, tenant ${tenant}, id ${userId}.`)
      const judged = (account: Account | null): Standing => {
        const objection = account === null ? null : objectionTo(account, tenant)
        return objection === null ? { ok: true, caller: { kind: 'person', person, actor, sessionHash: '' } } : no(objection)
      }
      try {
        return judged(await accountOf(userId, fresh))
      } catch (error) {
        if (!(error instanceof SlackFailure)) throw error
        // An outage, or a token that allows too little, is no time in which nothing can be stopped.
        if (toHold && error.kind !== 'refused') return judged(heard.get(userId)?.account ?? null)
        return no('Slack could not be asked just now whether your account is in order, so nothing was done. Try again in a moment.')
      }
    },
  }
}

function objectionTo({ teamId, deleted, bot, guest, stranger }: Account, tenant: string): string | null {
  if (stranger || (teamId !== null && teamId !== tenant))
    return 'Only members of this workspace can do that; your account is of another one.'
  if (deleted) return 'This account is deactivated.'
  if (bot) return REFUSALS['not-human']
  return guest ? 'Guests of this workspace cannot do that.' : null
}

function no(words: string): Standing {
  return { ok: false, words }
}
