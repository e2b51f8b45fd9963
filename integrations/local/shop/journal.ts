import { appendFileSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the directory may hold; what would not fit is refused, as a volume of this size would. */
export const JOURNAL_LIMIT_BYTES = 1024 * 1024
/** The file that lines are added to; when it is this long it becomes the one old file, and a new one begins. */
const LIVE_FILE = 'orders.log'
const OLD_FILE = 'orders.1.log'
const LIVE_BYTES = 32 * 1024
/** What a trace of one order takes. */
const TRACE_BYTES = 24 * 1024

/** The journal of orders, which the law asks for: an order that cannot be written down is not taken. All processes of the service share it. */
export interface Journal {
  /** @throws Error ENOSPC when the directory is full */
  write(line: object): void
  /** Writes down everything about one order, as developers do, until the directory is full; from then on it does nothing. */
  trace(line: object): void
  /** Nobody asks for traces any more: who asks again gets them again. */
  endTraces(): void
  usedRatio(): number
}

export function createJournal(dataDir: string, instance: string): Journal {
  const dir = join(dataDir, 'journal')
  mkdirSync(dir, { recursive: true })
  let traces = 0
  let tracing = true
  const append = (file: string, text: string): void => {
    if (usedBytes(dir) + text.length > JOURNAL_LIMIT_BYTES) throw new Error('ENOSPC: no space left in the journal of orders')
    appendFileSync(join(dir, file), text)
  }
  return {
    write(line) {
      if (sizeOf(join(dir, LIVE_FILE)) > LIVE_BYTES) renameSync(join(dir, LIVE_FILE), join(dir, OLD_FILE))
      append(LIVE_FILE, `${JSON.stringify(line)}\n`)
    },
    trace(line) {
      if (!tracing) return
      const room = JOURNAL_LIMIT_BYTES - usedBytes(dir)
      const text = JSON.stringify(line).padEnd(TRACE_BYTES, '.')
      writeFileSync(join(dir, `trace-${instance}-${++traces}.log`), text.slice(0, Math.max(0, room)))
      tracing = text.length < room
    },
    endTraces() {
      tracing = true
    },
    usedRatio: () => usedBytes(dir) / JOURNAL_LIMIT_BYTES,
  }
}

function usedBytes(dir: string): number {
  return readdirSync(dir).reduce((sum, file) => sum + sizeOf(join(dir, file)), 0)
}

/** 0 for what is not there: a file may be archived while it is counted. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
