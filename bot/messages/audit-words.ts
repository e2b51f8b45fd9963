import { isRefusalCode, REFUSALS } from '../../agent/domain/refusal.ts'
import type { AuditEntry, AuditSubject } from '../../agent/ports.ts'
import { scopeWords } from './scope-words.ts'
import { durationWords, secondsBetween } from './time-words.ts'
import { cleanText, cutText } from './visible-text.ts'

const LONGEST = 300
const REASON_MAX = 160

const STEPS: Readonly<Record<string, string>> = {
  claimed: 'took up',
  intent: 'is about to send',
  sent: 'sent',
  unknown: 'got no answer for',
  succeeded: 'saw take effect:',
  verified: 'verified, as its contract asks:',
  failed: 'saw that it did not help:',
  undetermined: 'could not judge:',
  undone: 'saw undone:',
  aborted: 'did not run',
}

const ENDS: Readonly<Record<string, string>> = {
  authorised: 'gave the last word that was needed for',
  denied: 'denied',
  expired: 'let the time to decide run out for',
  cancelled: 'cancelled',
  superseded: 'replaced by a newer plan:',
}

/**
 * What an entry of the audit log says, in words that follow the name of who did it: 'approved Roll back payments from v42 to v41'. A kind of
 * entry that is not known is told by its own name.
 */
export function auditWords(entry: Pick<AuditEntry, 'what' | 'body'>, subject: AuditSubject | null): string {
  const words = SAYINGS[entry.what]?.(factsOf(entry, subject))
  return cutText(words ?? entry.what, LONGEST)
}

interface Facts {
  key: (name: string) => string
  fact: (name: string) => unknown
  title: string
  subject: AuditSubject | null
}

const SAYINGS: Readonly<Record<string, (facts: Facts) => string>> = {
  'principal-written': ({ key }) => `made ${key('id')} known`,
  'principal-changed': ({ key, fact }) => (fact('active') === false ? `ended ${key('id')}` : `changed ${key('id')}`),
  'identity_link-written': ({ subject }) => `linked an account to ${subject?.person ?? 'somebody'}`,
  'identity_link-changed': ({ subject }) => `unlinked an account of ${subject?.person ?? 'somebody'}`,
  'role_grant-written': ({ subject }) => `gave ${subject?.person ?? 'somebody'} the role ${subject?.role ?? '(unknown)'}`,
  'role_grant-changed': ({ subject }) => `took the role ${subject?.role ?? '(unknown)'} from ${subject?.person ?? 'somebody'}`,
  'power_change-written': () => 'asked for a change of who may what',
  'power_change-changed': ({ fact }) => `decided a change of who may what: ${String(fact('state'))}`,
  'power_confirmation-written': () => 'confirmed a change of who may what',
  'policy_version-written': ({ key }) => `stored the policy ${key('digest').slice(0, 12)}`,
  'policy_activation-written': ({ fact }) => `put the policy ${String(fact('digest')).slice(0, 12)} in force`,
  'action_definition-written': ({ key }) => `registered the action ${key('kind')}, version ${key('version')}`,
  'plan-written': ({ title }) => `planned ${title}`,
  'request-written': ({ title }) => `asked for approval of ${title}`,
  'request-changed': ({ title, subject }) => `${ENDS[subject?.state ?? ''] ?? 'changed the request for'} ${title}`,
  'presentation-written': ({ title, key }) => `showed the card of ${title} (${key('surface')})`,
  'vote-written': ({ title, key }) => `${key('decision') === 'approve' ? 'approved' : 'denied'} ${title}`,
  'authorisation-written': ({ title }) => `authorised exactly this, once: ${title}`,
  'execution_event-written': ({ title, fact }) => `${STEPS[String(fact('to_state'))] ?? String(fact('to_state'))} ${title}`,
  'undo_waived-written': ({ title }) => `left as it is: ${title}`,
  'kill_switch-written': stopOrStart,
  'kill_switch-changed': stopOrStart,
  'start_vote-written': ({ key }) => `said start for ${scopeWords(key('scope'))}`,
  'freeze_window-written': frozenWords,
  'freeze_window-changed': ({ subject }) => `ended the freeze of ${subject?.freeze ? scopeWords(subject.freeze.scope) : 'something'}`,
  'graduation_report-written': () => 'recorded a report for graduation',
  'standing_grant-written': () => 'gave a standing grant',
  'standing_grant-changed': () => 'ended or used a standing grant',
  'restoration-written': () => 'restored the database from a backup',
  'refused_attempt-written': refusedWords,
  'drill_start-written': ({ fact }) =>
    `started the drill ${String(fact('name'))}${fact('principal_id') === null ? ' from the command line or by a program' : ''}`,
  'accepted_effect-written': () => 'took over an effect that a restored database did not know',
}

/** A call by its name in the interface, 'checkAgain', or a command: 'do'. */
function refusedWords({ fact, subject, title }: Facts): string {
  const what = String(fact('what')).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  const code = String(fact('code'))
  return `tried “${what}”${subject?.title ? ` on ${title}` : ''} and was refused: ${isRefusalCode(code) ? REFUSALS[code] : code}`
}

function frozenWords({ subject }: Facts): string {
  if (!subject?.freeze) return 'froze something'
  const { scope, from, to, reason } = subject.freeze
  return `froze ${scopeWords(scope)} for ${durationWords(secondsBetween(from, to))}: ${cleanText(reason, REASON_MAX)}`
}

function stopOrStart({ key, fact }: Facts): string {
  return fact('engaged') === true ? `stopped ${scopeWords(key('scope'))}` : `let ${scopeWords(key('scope'))} run again`
}

function factsOf({ body }: Pick<AuditEntry, 'body'>, subject: AuditSubject | null): Facts {
  const of = (name: 'key' | 'facts') => {
    const held = body[name]
    return typeof held === 'object' && held !== null ? new Map(Object.entries(held)) : new Map<string, unknown>()
  }
  const [keys, facts] = [of('key'), of('facts')]
  const title = subject?.title ?? 'a plan'
  return {
    key: (name) => String(keys.get(name) ?? ''),
    fact: (name) => facts.get(name),
    title: subject?.undo ? `the undo of ${title}` : title,
    subject,
  }
}
