import type { Agent } from '../../agent/agent.ts'
import { agentFor } from '../identity.ts'
import { cleanText, cutText } from '../messages/visible-text.ts'
import type { AssistantPayload } from './payloads.ts'
import type { SlackPeople } from './people.ts'
import type { PrivateWords } from './private-words.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'
import { channelWithOthers } from './talk.ts'

/** Something that can be asked with one click: what the button says, and what is then asked. */
export interface Prompt {
  title: string
  message: string
}

export interface AssistantDeps {
  agent: Agent
  web: Pick<SlackWeb, 'suggest' | 'setStatus' | 'setTitle'>
  people: SlackPeople
  words: Pick<PrivateWords, 'tell'>
  log: { warn(object: object, message: string): void }
}

/** Slack's panel beside a conversation. What is asked there is answered like a direct message; this is what goes around it. */
export interface Assistant {
  /** It was opened, or whoever has it open looks at another channel now: offers what may be asked about that. */
  opened(payload: AssistantPayload): Promise<void>
  /** Something was asked in its thread: says that it is being looked at, until the answer stands there. The answer does not wait for this. */
  looking(asked: { channel: string; thread: string; question: string }): void
}

const STATUS = 'is looking at what is stored …'
const PROMPTS_TITLE = 'Ask about what happens now'
/** More are refused. */
const MOST_PROMPTS = 4
const LONGEST_TITLE = 70

export function createAssistant({ agent, web, people, words, log }: AssistantDeps): Assistant {
  const unable = new Set<string>()
  /** Nobody waits for it, and an answer comes without it. What an operator has to mend is said once. */
  const courtesy = async (call: Promise<void>): Promise<void> => {
    try {
      await call
    } catch (error) {
      const what = error instanceof SlackFailure ? error.code : String(error)
      if (!unable.has(what)) log.warn({ err: error }, 'something around an answer in the assistant could not be shown')
      unable.add(what)
    }
  }
  return {
    async opened({ team_id: teamId, event: { type, assistant_thread: opened } }) {
      const { user_id: userId, channel_id: channel, thread_ts: thread, context } = opened
      const standing = await people.standing({ userId, teamId })
      if (!standing.ok) {
        // Once is enough: every further channel that they look at would say it again.
        if (type === 'assistant_thread_started') await words.tell({ userId, channel, thread }, standing.words)
        return
      }
      const seen = agentFor(agent, standing.caller, channelWithOthers(context.channel_id ?? null))
      await courtesy(web.suggest({ channel, thread, title: PROMPTS_TITLE, prompts: await promptsOf(seen) }))
    },
    looking({ channel, thread, question }) {
      const title = cutText(cleanText(question), LONGEST_TITLE)
      void courtesy(web.setStatus({ channel, thread, status: STATUS }))
      if (title !== '') void courtesy(web.setTitle({ channel, thread, title }))
    },
  }
}

/** Commands of the moment, most urgent first. */
async function promptsOf(agent: Pick<Agent, 'incidents' | 'approvals'>): Promise<Prompt[]> {
  const [open, waiting] = await Promise.all([
    agent.incidents({ state: 'active', limit: 1 }),
    agent.approvals({ state: 'pending', limit: 1 }),
  ])
  const about = open.items.map(({ id, title }) => ({
    title: cutText(`Why ${id}: ${cleanText(title)}`, LONGEST_TITLE),
    message: `why ${id}`,
  }))
  const prompts = [
    ...(waiting.items.length > 0 ? [{ title: 'What waits for a click?', message: 'approvals' }] : []),
    ...about,
    { title: 'What is open?', message: 'incidents' },
    { title: 'What does the next shift have to know?', message: 'handover' },
    { title: 'What can be asked here?', message: 'help' },
  ]
  return prompts.slice(0, MOST_PROMPTS)
}
