import { z } from 'zod'
import { IntegrationError, type IntegrationFault } from '../errors.ts'

export const ID = 'kubernetes'

/** A refusal of the API server, with the status it answered. */
export interface ApiRefusal extends IntegrationError {
  readonly status: number
}

const CODES: Readonly<Record<number, IntegrationFault>> = {
  401: 'auth',
  403: 'permission',
  404: 'not_found',
  429: 'rate_limited',
  408: 'timeout',
  504: 'timeout',
}
const MAX_WORDS = 500

const statusSchema = z.object({ message: z.string().optional(), reason: z.string().optional() })

/** What an answer that is no success means. The words are the API server's own: for a missing right they name it. */
export function refusalOf(status: number, body: string, retryAfter: number | null): ApiRefusal {
  const code = CODES[status] ?? (status >= 500 ? 'unavailable' : 'invalid_response')
  const words = `the API server answered ${status}: ${wordsOf(body)}`
  return Object.assign(new IntegrationError(ID, code, words, retryAfter === null ? {} : { retryAfter }), { status })
}

/** The status of a refusal; null for a fault on the way, after which nobody knows what the API server did. */
export function statusOf(error: unknown): number | null {
  return error instanceof IntegrationError && 'status' in error && typeof error.status === 'number' ? error.status : null
}

export function unreachable(error: unknown, late: boolean): IntegrationError {
  if (late) return new IntegrationError(ID, 'timeout', 'the API server did not answer in time', { cause: error })
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const words = cause instanceof Error ? cause.message : String(cause)
  return new IntegrationError(ID, 'unavailable', `the API server cannot be reached (${words.slice(0, 200)})`, { cause: error })
}

function wordsOf(body: string): string {
  try {
    const parsed = statusSchema.safeParse(JSON.parse(body))
    if (parsed.success && parsed.data.message) return parsed.data.message.slice(0, MAX_WORDS)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return body.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS) || 'no words'
}
