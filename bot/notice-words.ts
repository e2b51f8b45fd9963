import type { Approval, Execution, ExecutionState, RequestState } from '../agent/domain/approval.ts'
import { CODE_LENGTH, type PowerChange } from '../agent/domain/power.ts'
import { noticeText } from './messages/notice.ts'
import type { NameOf } from './messages/outcome-words.ts'
import { changeWords } from './messages/power-words.ts'
import { plainOf } from './messages/span.ts'
import { cleanText } from './messages/visible-text.ts'

/** What the database wrote with a transition: which one, and what it is about. */
export interface NoticeFacts {
  /** 'request-STATE', 'execution-STATE', 'undo-STATE', 'undo-kept', 'undo-lapsed', 'incident-told', or one of the controls. */
  code: string
  scope?: string | undefined
  by?: string | undefined
  /** The second admin of a change that was done. */
  second?: string | null | undefined
  change?: PowerChange | null | undefined
  digest?: string | undefined
  /** Of 'incident-told', as they were written with the event. */
  words?: string | undefined
}

/** Who is no person, as it is said. */
const AUTHORS: Readonly<Record<string, string>> = { host: 'the host', configuration: 'the settings file' }

/**
 * The words of a notice about a request, as things stood at its transition: told late, it must not tell what came after. Null when there is
 * nothing to say that another notice does not say.
 */
export function approvalNotice(facts: NoticeFacts, approval: Approval, now: Date): string | null {
  // The end of the action that was undone follows at once, and says both.
  if (facts.code === 'undo-verified') return null
  const then = asOf(approval, facts.code)
  const at = then.requestState === 'pending' ? then.createdAt : now
  return noticeText(then, at)
}

/** The words of a notice about stopping, starting or freezing; null for a code nobody knows. */
export function controlNotice({ code, scope = '*', by }: NoticeFacts, names: NameOf): string | null {
  const where = scope === '*' ? '' : ` (${cleanText(scope, 200)})`
  const who = by === undefined ? '' : by === 'host' ? ', from the command line on the host' : `, by ${cleanText(names(by), 60)}`
  switch (code) {
    case 'stopped':
      return `Stopped${where}${who}: nothing runs until it is started again.`
    case 'started':
      return `Not stopped${where}${who}: approved actions may run.`
    case 'frozen':
      return `Frozen${where}${who}: nothing runs until the freeze ends.`
    case 'unfrozen':
      return `The freeze${where} is over${who}.`
    default:
      return null
  }
}

/** The words of a notice about who may what; null for a code nobody knows. */
export function powerNotice({ code, by = '', second, change, digest }: NoticeFacts, names: NameOf): string | null {
  const name = (id: string): string => cleanText(AUTHORS[id] ?? names(id), 60)
  if (code === 'policy-changed')
    return `The policy changed, by the policy file: ${(digest ?? '').slice(0, CODE_LENGTH)} holds now. With two admins they would have confirmed it.`
  if (!change) return null
  const what = plainOf(changeWords(change))
  const who = second && second !== by ? `${name(by)} and ${name(second)}` : name(by)
  switch (code) {
    case 'power-pending':
      return `Asked by ${who}: ${what}. Nothing changes before ${by === 'host' ? 'two admins say' : 'another admin says'} "admin confirm ${(digest ?? '').slice(0, CODE_LENGTH)}".`
    case 'power-done':
    case 'people-changed':
      return `Changed by ${who}: ${what}.`
    case 'power-withdrawn':
      return `Withdrawn by ${who}: ${what}.`
    case 'power-expired':
      return `Nobody confirmed it in time, so nothing changed: ${what}.`
    default:
      return null
  }
}

/** The request as it was right after the transition. */
function asOf(approval: Approval, code: string): Approval {
  const [what, state] = [code.slice(0, code.indexOf('-')), code.slice(code.indexOf('-') + 1)]
  const untouched = { undoExecution: null, undoFrom: null, keptBy: null, undoLapsed: false }
  if (what === 'request') {
    const votes = state === 'pending' ? [] : approval.votes
    return { ...approval, ...untouched, requestState: state as RequestState, votes, execution: null }
  }
  const kept = { keptBy: null, undoLapsed: false }
  if (what === 'execution') {
    const execution = approval.execution && upTo(approval.execution, state as ExecutionState)
    return { ...approval, execution, ...(state === 'undone' ? {} : { undoExecution: null, ...kept }) }
  }
  if (state === 'kept' || state === 'lapsed') return approval
  return { ...approval, ...kept, undoExecution: approval.undoExecution && upTo(approval.undoExecution, state as ExecutionState) }
}

function upTo(execution: Execution, state: ExecutionState): Execution {
  const last = execution.events.findIndex((event) => event.state === state)
  return last === -1 ? execution : { ...execution, state, events: execution.events.slice(0, last + 1) }
}
