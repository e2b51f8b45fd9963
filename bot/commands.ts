import { nearest } from '../agent/domain/nearest.ts'
import { REFUSALS, Refusal } from '../agent/domain/refusal.ts'
import { type ParsedCommand, parseCommand } from './command-parser.ts'
import { investigate, perform } from './commands/act.ts'
import { admin } from './commands/admin.ts'
import { answerQuestion, ask, looksLikeQuestion } from './commands/ask.ts'
import { answer, type Command, type CommandContext, sentence } from './commands/command.ts'
import { freeze, start, stop, unfreeze } from './commands/control.ts'
import { drill } from './commands/drill.ts'
import { brief, why, whyNot } from './commands/explain.ts'
import { feedback, merge, severity, snooze, split, take } from './commands/handling.ts'
import { handover } from './commands/handover.ts'
import { grants, oncall } from './commands/people.ts'
import { postmortem, records } from './commands/records.ts'
import { requestIn } from './commands/request.ts'
import { close, resolve } from './commands/resolve.ts'
import { runbook } from './commands/runbook.ts'
import { approvals, incidents, status, whoMay } from './commands/show.ts'
import { logs, metric } from './commands/telemetry.ts'
import { incidentId } from './commands/which-incident.ts'
import { approvalLine } from './messages/brief.ts'
import { type Card, list, note, text } from './messages/card.ts'
import { approvalPage } from './messages/console-links.ts'
import { bold, code, link, say } from './messages/span.ts'
import { demand, mayDo } from './permissions.ts'
import { HttpProblem } from './problem.ts'
import { refused } from './who-may.ts'

/** Every command there is, in the order in which `help` lists them. */
const GROUPS: readonly { title: string; commands: readonly Command[] }[] = [
  { title: 'See', commands: [status, incidents, brief, why, whyNot, approvals, whoMay, handover, records, postmortem] },
  { title: 'Ask', commands: [ask, metric, logs, runbook, oncall, grants] },
  { title: 'Look after incidents', commands: [investigate, perform, take, resolve, close, snooze, severity, merge, split, feedback] },
  { title: 'Stop and practise', commands: [stop, start, freeze, unfreeze, drill] },
  { title: 'Who may what', commands: [admin] },
]
export const COMMANDS: readonly Command[] = GROUPS.flatMap(({ commands }) => commands)

/** Answers any text: by what the command says, by why it was refused, or by what there is to say. Faults are thrown. */
export async function runCommand(words: string, context: CommandContext): Promise<Card> {
  const command = parseCommand(words)
  if (command.name === '' || command.name === 'help') return help(command.words[0], context)
  const found =
    spokenWhy(command, context) ??
    COMMANDS.find(({ name }) => name === command.name) ??
    requestIn(command, context) ??
    questionIn(command, context)
  if (!found) return DECISIONS.includes(command.name) ? await onTheCard(command, context) : unknown(command.name, context)
  try {
    checkAllowed(found, context)
    return await found.run(command, context)
  } catch (cause) {
    const error = await refused(context.agent, cause, { caller: context.caller, what: found.name, requestId: null })
    if (error instanceof Refusal) return { ...sentence(say`${REFUSALS[error.code]} ${error.detail ?? ''}`), refusal: error.code }
    if (error instanceof HttpProblem) return { ...sentence(say`${error.message}`), refusal: error.code }
    throw error
  }
}

/**
 * 'why is checkout slow' begins as a command does and names no incident: it is a question, about what is open. So is 'why inc-1 does it fail?' where
 * there is a model that may answer it.
 */
function spokenWhy({ name, words, rest }: ParsedCommand, { agent }: CommandContext): Command | null {
  if (name !== 'why' || words[0] === undefined) return null
  const isSpoken = incidentId(words[0]) === null || (words.length > 1 && rest.endsWith('?') && agent.askModel !== null)
  return isSpoken ? { ...ask, run: async (_command, context) => await answerQuestion(`${name} ${rest}`, context) } : null
}

/** Words that are no command, but a question: asked as if `ask` stood before them. */
function questionIn({ name, rest }: ParsedCommand, context: CommandContext): Command | null {
  const question = `${name} ${rest}`
  if (!looksLikeQuestion(question, nearestCommand(name, context) !== null)) return null
  return { ...ask, run: async () => await answerQuestion(question, context) }
}

/** Whether this caller may run it: what `help` lists. */
export function isAllowed({ needs, programs }: Command, { caller }: Pick<CommandContext, 'caller'>): boolean {
  return caller.kind === 'person' ? mayDo(caller.person.roles, needs) : programs
}

function checkAllowed(command: Command, { caller }: CommandContext): void {
  if (caller.kind === 'person') demand(caller.person.roles, command.needs)
  else if (!command.programs) throw new Refusal('not-human', caller.kind === 'anyone' ? 'Sign in first.' : null)
}

function help(topic: string | undefined, context: CommandContext): Card {
  const mine = COMMANDS.filter((command) => isAllowed(command, context))
  const one = mine.find(({ name }) => name === topic?.toLowerCase())
  if (one) return sentence(say`${code(`${one.name} ${one.usage}`.trim())}: ${one.summary}`)
  const groups = GROUPS.flatMap(({ title, commands }) =>
    list(
      title,
      commands
        .filter((command) => mine.includes(command))
        .map(({ name, usage, summary }) => say`${code(`${name} ${usage}`.trim())} ${summary}`),
    ),
  )
  const notification = `What you can ask for here: ${[...mine.map(({ name }) => name), 'help'].join(', ')}. Say "help COMMAND" for one of them.`
  return { ...answer(...groups, note(say`${code('help COMMAND')} says more of one of them.`)), notification }
}

function unknown(name: string, context: CommandContext): Card {
  const meant = nearestCommand(name, context)
  return answer(
    text(
      say`${bold(name.slice(0, 40))} is no command.${meant === null ? '' : ` Did you mean "${meant}"?`} Say ${code('help')} for all of them.`,
    ),
  )
}

/** What people call a command by that is spelt more like its opposite, or like none. */
const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ['unstop', 'start'],
  ['resume', 'start'],
  ['start-again', 'start'],
  ['halt', 'stop'],
  ['kill', 'stop'],
  ['thaw', 'unfreeze'],
])

/** What people type who look for the button. */
const DECISIONS: readonly string[] = ['approve', 'deny', 'reject']
const WAITING_SHOWN = 5

/** A decision is on the exact plan that its card shows, so that no words can make it. */
async function onTheCard({ words }: ParsedCommand, { agent, incident, now, consoleUrl }: CommandContext): Promise<Card> {
  const id = incidentId(words[0]) ?? incident
  const { items } = await agent.approvals({ state: 'pending', limit: WAITING_SHOWN, ...(id === null ? {} : { incidentId: id }) })
  const where = items.map((approval) => {
    const page = consoleUrl === null ? null : approvalPage(consoleUrl, approval.incidentId, approval.id)
    return say`${approvalLine(approval, now)}${page === null ? '' : say` ${link('Its card', page)}`}`
  })
  return answer(
    text(
      say`${bold('Approving is done on the card alone')}, in the incident’s thread or on its page in the console: there is the exact plan that is decided on.${items.length === 0 ? ` Nothing waits for a click${id === null ? '' : ` in ${id}`}.` : ''}`,
    ),
    ...list('Waiting for a click', where),
  )
}

function nearestCommand(name: string, context: CommandContext): string | null {
  const known = COMMANDS.filter((command) => isAllowed(command, context)).map((command) => command.name)
  const other = OTHER_WORDS.get(name.toLowerCase())
  return other !== undefined && known.includes(other) ? other : nearest(name.slice(0, 40), [...known, 'help'])
}
