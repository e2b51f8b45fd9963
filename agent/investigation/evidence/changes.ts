import type { Change, ChangesPort } from '../../../integrations/ports/changes.ts'
import type { Unread } from '../../../integrations/ports/unread.ts'
import type { ChangesContent } from '../../diagnosis/evidence-content.ts'
import { clock } from '../../diagnosis/wording.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { askSource, type WarningLog } from '../ask-source.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

const BEFORE_MS = 30 * 60_000
const MAX_CHANGES = 100

/**
 * Everything that was changed near the service from half an hour before the trouble until now, the newest first, from all sources as one
 * story: a release is told by one and a flag by another. A source that gives no answer is named; only when none does, nothing is known.
 */
export async function collectChanges(
  sources: readonly { id: string; changes: ChangesPort }[],
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence[]> {
  if (sources.length === 0) return []
  const from = new Date(scope.startedAt.getTime() - BEFORE_MS)
  const question = { services: scope.near, from, to: scope.to, signal }
  const answers = await Promise.all(
    sources.map(async ({ id, changes }) => ({ id, answer: await askSource(async () => read(await changes.list(question)), signal, log) })),
  )
  const frame = { kind: 'changes', trust: 'platform' as const, from, to: scope.to, link: null }
  const failures = answers.flatMap(({ id, answer }): NewEvidence[] => {
    if (answer.ok) return []
    const content = { services: scope.near, failed: answer.words }
    return [{ ...frame, source: id, status: answer.status, summary: `recent changes of ${id}: ${answer.words}`, query: 'changes', content }]
  })
  const answered = answers.flatMap(({ id, answer }) => (answer.ok ? [{ id, ...answer.value }] : []))
  if (answered.length === 0) return failures
  const content = merge(answered, scope, from)
  const query = answered.map((each) => each.query).join('; ')
  const source = answered.map(({ id }) => id).join(', ')
  const status = content.changes.length > 0 ? 'ok' : 'empty'
  const unread = answered.flatMap((each) => each.unread ?? [])[0] ?? null
  return [...failures, { ...frame, source, status, summary: summaryOf(content, unread), query: query.slice(0, 8_000), content }]
}

type KnownChanges = ChangesContent['changes']
type Answered = { query: string; changes: readonly Change[]; unread?: Unread | null }

function read({ query, changes, unread = null }: Answered): { query: string; changes: KnownChanges; unread: Unread | null } {
  const newest = changes.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, MAX_CHANGES)
  return { query: query.slice(0, 2_000), changes: newest.map(toContent), unread }
}

function toContent({ id, at, kind, service, summary, by, from, to }: Change): KnownChanges[number] {
  const short = (text: string | null): string | null => (text === null ? null : oneLine(text, 100))
  const versions = { from: short(from), to: short(to) }
  return { id: oneLine(id, 200), at: at.toISOString(), kind, service, summary: oneLine(summary, 300), by: short(by), ...versions }
}

function merge(answered: readonly { changes: KnownChanges }[], scope: Scope, from: Date): ChangesContent {
  const all = answered.flatMap(({ changes }) => changes).sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
  return { services: [...scope.near], from: from.toISOString(), to: scope.to.toISOString(), changes: all.slice(0, MAX_CHANGES) }
}

function summaryOf({ changes, services }: ChangesContent, unread: Unread | null): string {
  const [newest] = changes
  const window = unread ? `since ${clock(unread.before)}` : 'in half an hour'
  const rest = unread ? `; nothing before that was looked at: ${unread.why}` : ''
  if (!newest) return `no change of ${services.slice(0, 5).join(', ')} ${window}${rest}`
  return `${changes.length} ${changes.length === 1 ? 'change' : 'changes'} ${window}, the last: ${newest.summary}${rest}`
}
