import { type DestinationStream, type Logger, pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Fields that may hold a secret, wherever in a logged object they stand. */
const SECRET_FIELDS = ['authorization', 'cookie', 'token', 'password', 'secret', 'apiKey', 'databaseUrl', 'botToken', 'signingSecret']

/** JSON lines, without secrets; to standard error unless told otherwise, because standard output belongs to the commands. */
export function createLog({ level, destination }: { level: LogLevel; destination?: DestinationStream }): Logger {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])
  const formatters = { log: (fields: object) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)])) }
  return pino(
    { level, base: null, formatters, redact: { paths, censor: '[secret]' } },
    destination ?? pino.destination({ dest: 2, sync: true }),
  )
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
