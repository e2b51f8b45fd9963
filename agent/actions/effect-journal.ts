/** One effect that is about to be made: written and synced to disk before the call, outside the database. */
export interface JournalEntry {
  executionId: string
  planId: string
  digest: string
  resource: string
  /** RFC 3339. */
  at: string
}

/**
 * Memory that a restored backup of the database cannot take back. A line is on disk when `append` resolves; when it cannot be written, the
 * promise rejects and the effect must not happen.
 */
export interface EffectJournal {
  append(entry: JournalEntry): Promise<void>
  entries(): Promise<readonly JournalEntry[]>
  /** Writes and syncs something of its own beside the journal, and takes it away. @throws what the file system says, such as ENOSPC */
  tryToWrite(): Promise<void>
}

/** Entries the database does not know as sent: it is older than the world, and nothing may be run on its word. */
export function journalAhead(journal: readonly JournalEntry[], sent: readonly { planId: string; digest: string }[]): JournalEntry[] {
  const known = new Set(sent.map(({ planId, digest }) => `${planId} ${digest}`))
  return journal.filter(({ planId, digest }) => !known.has(`${planId} ${digest}`))
}
