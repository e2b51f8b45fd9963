export const INTEGRATION_FAULTS = [
  'auth',
  'permission',
  'not_found',
  'rate_limited',
  'unavailable',
  'timeout',
  'invalid_response',
  /** A bound of the target, not a fault of it, stands against what was asked. */
  'refused',
] as const
export type IntegrationFault = (typeof INTEGRATION_FAULTS)[number]

/** What every vendor's errors are mapped to, in one function per vendor. */
export class IntegrationError extends Error {
  override readonly name = 'IntegrationError'
  readonly code: IntegrationFault
  readonly integration: string
  /** Seconds, when the vendor asked to wait. */
  readonly retryAfter: number | null
  constructor(integration: string, code: IntegrationFault, words: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(`${integration}: ${words}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.integration = integration
    this.code = code
    this.retryAfter = options.retryAfter ?? null
  }
}
