import type { Agent } from '../../agent/agent.ts'
import { incidentId } from '../commands/which-incident.ts'
import { runCommand } from '../commands.ts'
import { agentFor, type Caller } from '../identity.ts'
import { type Card, text } from '../messages/card.ts'
import { bold, plainOf, say } from '../messages/span.ts'
import { cleanText } from '../messages/visible-text.ts'
import type { Answers, Report } from './answers.ts'
import type { CommandPayload, MessagePayload } from './payloads.ts'
import type { SlackPeople } from './people.ts'
import type { PostingRows } from './postings.ts'
import type { PrivateWords } from './private-words.ts'
import { onlyHolds } from './work-kinds.ts'
import type { Workspace } from './workspace.ts'

export type Speaker = Extract<Caller, { kind: 'person' }>

export interface TalkDeps {
  agent: Agent
  people: SlackPeople
  words: PrivateWords
  postings: Pick<PostingRows, 'incidentIn'>
  answers: Pick<Answers, 'give'>
  /** Something was asked in a thread with the bot alone. Nothing waits for what is done about it. */
  looking: (asked: { channel: string; thread: string; question: string }) => void
  workspace: () => Promise<Workspace>
  consoleUrl: string | null
  now: () => Date
}

/** What people say, with the same commands and the same answers as everywhere else. */
export interface Talk {
  /** `/sre …`: the answer is for this person alone. */
  command(payload: CommandPayload): Promise<void>
  /** A mention or a direct message: the answer stands below it. */
  message(payload: MessagePayload): Promise<void>
  whisper(command: string, caller: Speaker, where: { channel: string | null; incident: string | null }): Promise<void>
  /** The answer to a question for everybody, in the thread of the incident, with who asked what; the same ref is answered once. */
  answer(question: string, caller: Speaker, where: { channel: string; incident: string; ref: string }): Promise<void>
}

/** Kinds of messages that somebody wrote: with a file, and from a thread to the channel as well. */
const SAID: readonly string[] = ['file_share', 'thread_broadcast']
/** From one incident to the one that it was merged into. */
const MOST_HOPS = 10
const QUESTION_SHOWN = 300

export function createTalk(deps: TalkDeps): Talk {
  const { agent, people, words, postings, answers, workspace, consoleUrl, now } = deps
  const run = async (
    command: string,
    caller: Speaker,
    where: { channel: string | null; incident: string | null },
    report?: Report,
  ): Promise<Card> =>
    await runCommand(command, {
      ...(report ? { report } : {}),
      agent: agentFor(agent, caller, channelWithOthers(where.channel)),
      caller,
      incident: where.incident,
      now: now(),
      consoleUrl,
    })

  const whisper: Talk['whisper'] = async (command, caller, { channel, incident }) =>
    await words.tellAfter({ userId: caller.actor.externalId, channel }, await run(command, caller, { channel, incident }))

  /** What became a part of another is asked about as that. */
  const incidentIn = async (channel: string, thread: string): Promise<string | null> => {
    let found = await postings.incidentIn('slack', channel, thread)
    for (let hop = 0; found !== null && hop < MOST_HOPS; hop += 1) {
      const whole = await agent.mergedInto(found)
      if (whole === null) return found
      found = whole
    }
    return found
  }

  return {
    whisper,
    async command(payload) {
      const { user_id: userId, team_id: teamId, channel_id: channel } = payload
      const standing = await people.standing({ userId, teamId }, { toHold: onlyHolds(payload.text) })
      if (!standing.ok) return await words.tell({ userId, channel }, standing.words)
      await whisper(payload.text, standing.caller, { channel, incident: null })
    },
    async message({ team_id, event_id, event }) {
      const { user: userId, channel, ts, thread_ts, channel_type } = event
      const isDirect = event.type === 'message'
      // Edits, joins and what other programs write are no question; in a channel only a mention is.
      if (!userId || event.bot_id || (event.subtype && !SAID.includes(event.subtype)) || (isDirect && channel_type !== 'im')) return
      const { botUserId } = await workspace()
      if (userId === botUserId) return
      const said = plainWords(event.text, botUserId)
      const standing = await people.standing({ userId, teamId: event.user_team ?? event.team ?? team_id }, { toHold: onlyHolds(said) })
      if (!standing.ok) return await words.tell({ userId, channel, thread: thread_ts ?? null }, standing.words)
      if (isDirect && thread_ts) deps.looking({ channel, thread: thread_ts, question: said })
      const incident = thread_ts ? await incidentIn(channel, thread_ts) : null
      const thread = isDirect ? (thread_ts ?? null) : (thread_ts ?? ts)
      const place = { ref: event_id, channel, thread, question: ts, incident, subject: namedIn(said), asker: askerOf(standing.caller) }
      await answers.give(place, async (report) => await run(said, standing.caller, { channel, incident }, report))
    },
    async answer(question, caller, { channel, incident, ref }) {
      const place = { ref, channel, thread: null, incident, rings: caller.actor.externalId, asker: askerOf(caller) }
      await answers.give(place, async (report) =>
        asAskedBy(caller, question, await run(`ask ${question}`, caller, { channel, incident }, report)),
      )
    },
  }
}

/** The incident that somebody named as one; a number alone may be anything. */
function namedIn(said: string): string | null {
  return incidentId(
    said
      .split(/\s+/)
      .find((word) => /^(inc-|#)\d+[?.!,]?$/i.test(word))
      ?.replace(/[?.!,]$/, ''),
  )
}

/** What was asked in a form stands nowhere else. */
function asAskedBy({ person }: Speaker, question: string, card: Card): Card {
  const words = say`${bold(person.name)} asked: “${cleanText(question, QUESTION_SHOWN)}”`
  return { ...card, notification: `${plainOf(words)} ${card.notification}`, blocks: [text(words), ...card.blocks] }
}

function askerOf({ actor }: Speaker): { userId: string; teamId: string } {
  return { userId: actor.externalId, teamId: actor.tenant }
}

/** The channel where others read along; null for a direct message, which only the bot and whoever writes it read. */
export function channelWithOthers(channel: string | null): string | null {
  return channel?.startsWith('D') ? null : channel
}

/** What was typed, without the mention of the bot and without Slack's own signs: '<http://x|x>' is 'x', '&lt;' is '<'. */
export function plainWords(text: string, botUserId: string): string {
  return text
    .replaceAll(`<@${botUserId}>`, ' ')
    .replace(/<(?:https?|mailto):[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<((?:https?|mailto):[^>]*)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim()
}
