import { z } from 'zod'
import { ACCOUNT_IN_ADDRESS, hasAccount } from '../config/address.ts'
import type { EnvironmentReader, VariableWords } from '../config/secrets.ts'

/** The part of the settings file that is about traces of our own work. */
export const tracesFileSchema = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .refine((address) => !hasAccount(address), ACCOUNT_IN_ADDRESS)
    .optional()
    .meta({
      description: 'A collector that takes OTLP over HTTP, in JSON; /v1/traces is added. Without it nothing is told.',
      env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    }),
})

export const traceVariables: VariableWords = {
  OTEL_EXPORTER_OTLP_HEADERS: {
    words: 'What the collector asks for: name=value, separated by commas, values percent-encoded.',
    secret: true,
  },
}

export interface TraceSettings {
  /** Without a slash at its end. */
  endpoint: string
  headers: Readonly<Record<string, string>>
}

/** The variables are those that OpenTelemetry's own tools know. Null where no collector is named. */
export function readTraceSettings(read: EnvironmentReader, file: z.infer<typeof tracesFileSchema> = {}): TraceSettings | null {
  const variable = read.text('OTEL_EXPORTER_OTLP_ENDPOINT')
  const headers = read.secret('OTEL_EXPORTER_OTLP_HEADERS') ?? ''
  const endpoint = variable ?? file.endpoint
  if (endpoint === undefined) return null
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint) || hasAccount(endpoint)) {
    // Never with the value: there may be a password in it.
    read.problems.push(
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an address that begins with http:// or https://, without a user name and password.',
    )
    return null
  }
  return { endpoint: endpoint.replace(/\/+$/, ''), headers: headersIn(headers, read.problems) }
}

function headersIn(text: string, problems: string[]): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '')
  const parsed = pairs.map((pair) => /^\s*([\w-]+)\s*=\s*(\S+)\s*$/.exec(pair))
  if (parsed.some((each) => each === null)) problems.push('OTEL_EXPORTER_OTLP_HEADERS must be name=value, separated by commas.')
  try {
    return Object.fromEntries(parsed.flatMap((each) => (each ? [[each[1] ?? '', decodeURIComponent(each[2] ?? '')] as const] : [])))
  } catch {
    problems.push('OTEL_EXPORTER_OTLP_HEADERS has a value that is not percent-encoded.')
    return {}
  }
}
