import type { KnownBlock, View } from '@slack/types'
import type { Agent } from '../../agent/agent.ts'
import { COMMANDS, isAllowed } from '../commands.ts'
import { agentFor } from '../identity.ts'
import { approvalLine, incidentLine } from '../messages/brief.ts'
import { type CardBlock, list, note, text, title } from '../messages/card.ts'
import { bold, code, say } from '../messages/span.ts'
import type { HomePayload } from './payloads.ts'
import type { SlackPeople } from './people.ts'
import { renderBlocks } from './render.ts'
import type { SlackWeb } from './slack-api.ts'
import type { Speaker } from './talk.ts'

export interface HomeDeps {
  agent: Agent
  web: Pick<SlackWeb, 'showHome'>
  people: SlackPeople
  consoleUrl: string | null
  now: () => Date
}

const SHOWN = 10
/** Of those that wait for anybody. */
const PENDING_READ = 50

/** The bot's own page for one person: what is open, what waits for them, and what they may do. Drawn anew whenever they open it. */
export function createHome(deps: HomeDeps): (payload: HomePayload) => Promise<void> {
  return async ({ team_id: teamId, event: { user: userId, tab } }) => {
    if (tab !== 'home') return
    const standing = await deps.people.standing({ userId, teamId })
    const blocks = standing.ok ? await pageOf(standing.caller, deps) : [text(say`${standing.words}`)]
    await deps.web.showHome(userId, asView(blocks))
  }
}

async function pageOf(caller: Speaker, { agent: all, consoleUrl, now }: HomeDeps): Promise<CardBlock[]> {
  const agent = agentFor(all, caller, null)
  const [mode, incidents, pending] = await Promise.all([
    agent.mode(),
    agent.incidents({ state: 'active', limit: SHOWN }),
    agent.approvals({ state: 'pending', limit: PENDING_READ }),
  ])
  const may = await Promise.all(
    pending.items.map(async ({ id }) => (await agent.whoMay(id)).some((person) => person.id === caller.person.id)),
  )
  const mine = pending.items.filter((_approval, index) => may[index]).slice(0, SHOWN)
  const commands = COMMANDS.filter((command) => isAllowed(command, { caller })).map(({ name }) => name)
  const at = { now: now(), consoleUrl }
  return [
    title('Steadyhand'),
    text(
      mode.mode === 'act'
        ? say`${bold('Acts')} after a click of somebody who may.`
        : say`${bold('Observes only')}: ${mode.reasons.join('; ')}`,
    ),
    ...orNothing(
      'Waiting for you',
      mine.map((approval) => approvalLine(approval, at.now)),
      'Nothing waits for you.',
    ),
    ...orNothing(
      'Open incidents',
      incidents.items.map((incident) => incidentLine(incident, at)),
      'No incident is open.',
    ),
    ...list('What you may do', [
      say`You are ${bold(caller.person.name)}, ${caller.person.roles.join(', ') || 'without a role'}.`,
      say`${code('/sre')} ${commands.join(', ')}`,
    ]),
    note(say`Cards are decided where they are shown, in the channel. Say ${code('/sre help')} for what each command does.`),
  ]
}

function orNothing(heading: string, lines: Parameters<typeof list>[1], otherwise: string): CardBlock[] {
  return lines.length > 0 ? list(heading, lines) : [text(say`${otherwise}`)]
}

function asView(blocks: readonly CardBlock[]): View {
  const rendered: KnownBlock[] = renderBlocks({ kind: 'answer', ref: '', notification: '', blocks }).blocks
  return { type: 'home', blocks: rendered }
}
