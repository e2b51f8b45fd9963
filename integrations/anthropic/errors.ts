import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from '@anthropic-ai/sdk'
import { IntegrationError, type IntegrationFault } from '../errors.ts'

const ID = 'anthropic'

export const brokenOff = (): IntegrationError => new IntegrationError(ID, 'invalid_response', 'the answer broke off')
export const tooLong = (): IntegrationError => new IntegrationError(ID, 'invalid_response', 'the answer is longer than any should be')

/** What went wrong in words of our own; the provider's words may repeat what it was sent, and stay in the cause. */
export function answerError(error: unknown, signal: AbortSignal): IntegrationError {
  if (signal.aborted || error instanceof APIUserAbortError) return fault('timeout', 'no answer in time', error)
  if (error instanceof IntegrationError) return error
  if (error instanceof APIConnectionTimeoutError) return fault('timeout', 'no answer in time', error)
  if (error instanceof APIConnectionError) return fault('unavailable', 'cannot be reached', error)
  if (!(error instanceof APIError)) return fault('invalid_response', 'the answer cannot be read', error)
  const { status, type } = error
  if (status === 401) return fault('auth', 'the key is not accepted', error)
  if (status === 402 || status === 403) return fault('permission', 'the key may not use this model', error)
  if (status === 404) return fault('not_found', 'there is no such model or address', error)
  if (status === 429) return fault('rate_limited', 'too many requests', error, retryAfter(error))
  if ((status ?? 0) >= 500 || type === 'overloaded_error' || type === 'api_error')
    return fault('unavailable', 'is overloaded or down', error)
  return fault('invalid_response', `the request was not accepted (${status ?? 'in the stream'})`, error)
}

function fault(code: IntegrationFault, words: string, cause: unknown, wait: number | null = null): IntegrationError {
  return new IntegrationError(ID, code, words, { cause, ...(wait === null ? {} : { retryAfter: wait }) })
}

function retryAfter(error: APIError): number | null {
  const seconds = Number(error.headers?.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}
