import type { RunbookStore } from '../ports.ts'
import { readRunbook } from './read-runbook.ts'

/** A runbook as its folder holds it. */
export interface RunbookFile {
  name: string
  text: string
}

/** Reads every file into its parts and replaces what was stored. One that cannot be used in part is told and kept for the rest. */
export async function loadRunbooks(
  { files, problems: unread }: { files: readonly RunbookFile[]; problems: readonly string[] },
  { runbooks, log }: { runbooks: Pick<RunbookStore, 'replace'>; log: { warn(object: object, message: string): void } },
): Promise<void> {
  for (const problem of unread) log.warn({ problem }, 'a runbook was not read')
  const read = files.map(({ name, text }) => ({ name, ...readRunbook(name, text) }))
  for (const { name, problems } of read) if (problems.length > 0) log.warn({ runbook: name, problems }, 'a runbook is not used as a whole')
  await runbooks.replace(read.flatMap(({ chunks }) => chunks))
}
