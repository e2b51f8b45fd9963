import { type DestinationStream, type Logger, pino } from 'pino'
import { logWords } from './log-words.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
/** One line of JSON each for machines, or of words for people. */
export type LogFormat = 'json' | 'words'

export interface LogOptions {
  level: LogLevel
  /** Words on a terminal, else JSON, unless given. */
  format?: LogFormat | null
  destination?: DestinationStream
}

/** Fields that may hold a secret, wherever in a logged object they stand. */
const SECRET_FIELDS = ['authorization', 'cookie', 'token', 'password', 'secret', 'apiKey', 'databaseUrl', 'botToken', 'signingSecret']

/** Lines without secrets; to standard error unless told otherwise, because standard output belongs to the commands. */
export function createLog({ level, format, destination }: LogOptions): Logger {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])
  const formatters = { log: (fields: object) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)])) }
  return pino(
    { level, base: null, formatters, redact: { paths, censor: '[secret]' } },
    (format ?? (process.stderr.isTTY ? 'words' : 'json')) === 'words'
      ? inWords(destination ?? process.stderr)
      : (destination ?? pino.destination({ dest: 2, sync: true })),
  )
}

/** A line of progress that stands there is written over, not appended to. */
function inWords(destination: { write(text: string): unknown; isTTY?: boolean }): DestinationStream {
  const clear = destination.isTTY ? '\r\u001b[2K' : ''
  return { write: (line) => void destination.write(`${clear}${logWords(line)}\n`) }
}

/** An error as its words: its fields are not enumerable, and copying a DOMException, as redaction does, throws. */
function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { name, message, stack, cause } = value
  const code = 'code' in value ? { code: value.code } : {}
  return {
    name,
    message,
    ...code,
    stack,
    ...(cause === undefined ? {} : { cause: cause instanceof Error ? cause.message : String(cause) }),
  }
}
