import { type AskedChange, codeOf, EVERYWHERE, type PowerChange } from '../../agent/domain/power.ts'
import { code, type Span, say } from './span.ts'
import { deadline } from './time-words.ts'

/** What a change does, every field of its bytes as it is. */
export function changeWords(change: PowerChange): Span[] {
  switch (change.kind) {
    case 'grant':
      return say`${code(change.person)} becomes ${code(change.role)} ${where(change.environment)}`
    case 'revoke':
      return say`${code(change.person)} loses ${change.role === null ? 'all roles' : say`the role ${code(change.role)}`} ${where(change.environment)}`
    case 'link':
      return say`the account ${account(change)} becomes that of ${code(change.person)}${change.name === null ? '' : say`, whose name is ${code(change.name)} if new`}`
    case 'unlink':
      return say`the account ${account(change)} is nobody's any more`
    case 'policy':
      return say`the policy ${code(change.policy)} takes the place of ${code(change.before ?? 'none')}`
  }
}

/** A change that waits: what, by whom, how many more, until when, and what to say to confirm exactly this. */
export function waitingWords(asked: AskedChange, now: Date): Span[] {
  const missing = asked.needed - asked.confirmedBy.length
  const by = asked.askedBy === 'host' ? 'the policy file' : asked.askedBy
  return say`${changeWords(asked.change)} (asked by ${by}; ${missing} more to confirm, ${deadline(asked.expiresAt, now)}): ${code(`admin confirm ${codeOf(asked)}`)}`
}

function account({ surface, tenant, account: id }: { surface: string; tenant: string; account: string }): Span[] {
  return say`${code(surface)} ${code(tenant)} ${code(id)}`
}

function where(environment: string | null): Span[] {
  return environment === null || environment === EVERYWHERE ? say`everywhere` : say`in ${code(environment)}`
}
