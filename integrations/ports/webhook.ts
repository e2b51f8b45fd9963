import type { Alert } from '../../agent/domain/alert.ts'

/** Why a body holds nothing that can be taken; the words say what is wrong and what to send. */
export type WebhookFault = 'too-large' | 'not-json' | 'foreign' | 'no-usable-alert'

export type ParsedWebhook =
  | {
      ok: true
      alerts: Alert[]
      /** Items of the list that are no alerts: left out, while the rest counts. */
      unusable: number
      /** Alerts that the sender itself left out of this delivery. */
      truncated: number
    }
  | { ok: false; code: WebhookFault; words: string }

/** Reads one delivery of a sender, exactly as it was stored. Pure, and the same body always gives the same alerts. */
export type ParseWebhook = (body: Uint8Array) => ParsedWebhook

export const MAX_WEBHOOK_BYTES = 8 * 1024 * 1024

/** The body as JSON, or in words why it is none. */
export function readJsonBody(body: Uint8Array): { ok: true; value: unknown } | Extract<ParsedWebhook, { ok: false }> {
  if (body.byteLength > MAX_WEBHOOK_BYTES) {
    return { ok: false, code: 'too-large', words: `the body has ${body.byteLength} bytes; at most ${MAX_WEBHOOK_BYTES} are read` }
  }
  if (body.byteLength === 0) return { ok: false, code: 'not-json', words: 'the body is empty; JSON is expected' }
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) }
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error
    return { ok: false, code: 'not-json', words: `the body is not JSON in UTF-8: ${error.message.slice(0, 200)}` }
  }
}
