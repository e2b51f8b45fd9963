import type { Agent } from '../../agent/agent.ts'
import { agentFor } from '../identity.ts'
import { freezeForm, investigateForm, stopForm } from './forms.ts'
import { type ShortcutPayload, teamOf } from './payloads.ts'
import type { SlackPeople } from './people.ts'
import type { PrivateWords } from './private-words.ts'
import type { SlackWeb } from './slack-api.ts'
import { channelWithOthers, type Talk } from './talk.ts'
import { onlyHolds } from './work-kinds.ts'

export interface ShortcutsDeps {
  agent: Agent
  web: Pick<SlackWeb, 'openForm'>
  people: SlackPeople
  words: PrivateWords
  talk: Talk
}

const NOTHING_CARRIED = { message: null, value: '' }
const MOST_READ = 20_000

/** "Investigate this message" on what anybody or anything posted, and "Freeze changes" and "Stop everything" from anywhere. */
export function createShortcuts({ agent, web, people, words, talk }: ShortcutsDeps): (payload: ShortcutPayload) => Promise<void> {
  return async (payload) => {
    const userId = payload.user.id
    const channel = payload.channel?.id ?? null
    const standing = await people.standing({ userId, teamId: teamOf(payload) }, { toHold: onlyHolds(payload.callback_id) })
    if (!standing.ok) return await words.tell({ userId, channel }, standing.words)
    switch (payload.callback_id) {
      case 'freeze':
        return await web.openForm(payload.trigger_id, freezeForm({ channel, ...NOTHING_CARRIED }))
      case 'stop':
        return await web.openForm(payload.trigger_id, stopForm({ channel, ...NOTHING_CARRIED }))
      case 'investigate_message': {
        const services = await agentFor(agent, standing.caller, channelWithOthers(channel)).scopes.services()
        const [only, ...others] = servicesIn(payload.message, services)
        if (only !== undefined && others.length === 0)
          return await talk.whisper(`investigate ${only}`, standing.caller, { channel, incident: null })
        if (services.length === 0) return await words.tell({ userId, channel }, 'No service is known yet that could be looked into.')
        return await web.openForm(
          payload.trigger_id,
          investigateForm(others.length > 0 ? [only ?? '', ...others] : services, { channel, ...NOTHING_CARRIED }),
        )
      }
    }
  }
}

/** Services that the message names, as words of their own: alerts of other programs say most in blocks and attachments. */
export function servicesIn(message: ShortcutPayload['message'], services: readonly string[]): string[] {
  if (!message) return []
  const said = JSON.stringify([message.text, message.blocks, message.attachments]).slice(0, MOST_READ).toLowerCase()
  const words = new Set(said.split(/[^a-z0-9._-]+/).flatMap((word) => [word, word.replace(/[.]+$/, '')]))
  return services.filter((name) => words.has(name.toLowerCase()))
}
