import { z } from 'zod'
import { parseCommand } from '../command-parser.ts'

/** What Slack sent is stored under this source. */
export const SLACK_SOURCE = 'slack'
/** The job that handles what people say. */
export const SLACK_WORDS = 'slack'
/** The job that handles what they press: no flood of words holds it up. */
export const SLACK_PRESSES = 'slack-press'
/** The job for what keeps something from happening: nothing else holds it up, whatever it waits for. */
export const SLACK_STOPS = 'slack-stop'
export const SLACK_WORK = [SLACK_WORDS, SLACK_PRESSES, SLACK_STOPS] as const

const PRESSED: readonly unknown[] = ['block_actions', 'view_submission', 'shortcut', 'message_action']
const HOLDING: readonly string[] = ['stop', 'freeze']
/** Forms whose words are answered like any others: a model may take its time. */
const ANSWERED: readonly string[] = ['ask', 'investigate']
const STOP = 'stop'

/** The words of a command, a mention or a message, and the name of a form or shortcut. */
const saidSchema = z.union([
  z.looseObject({ command: z.string(), text: z.string() }).transform(({ text }) => parseCommand(text).name),
  z.looseObject({ event: z.looseObject({ text: z.string() }) }).transform(({ event }) => parseCommand(event.text).name),
  z.looseObject({ type: z.enum(['shortcut', 'message_action']), callback_id: z.string() }).transform(({ callback_id }) => callback_id),
  z
    .looseObject({ type: z.literal('view_submission'), view: z.looseObject({ callback_id: z.string() }) })
    .transform(({ view }) => view.callback_id),
])

/** Which job handles this. */
export function workKindOf(body: Readonly<Record<string, unknown>>): (typeof SLACK_WORK)[number] {
  const asked = askedFor(body) ?? ''
  if (HOLDING.includes(asked)) return SLACK_STOPS
  return PRESSED.includes(body['type']) && !ANSWERED.includes(asked) ? SLACK_PRESSES : SLACK_WORDS
}

/** Whether this asks for everything, or something, to be stopped: in words, or by the form that says so. A shortcut only opens that form. */
export function isStop(body: Readonly<Record<string, unknown>>): boolean {
  return askedFor(body) === STOP && body['type'] !== 'shortcut'
}

/** Whether a command can only keep something from happening. */
export function onlyHolds(command: string): boolean {
  return HOLDING.includes(parseCommand(command).name)
}

function askedFor(body: Readonly<Record<string, unknown>>): string | null {
  const said = saidSchema.safeParse(body)
  return said.success ? said.data : null
}
