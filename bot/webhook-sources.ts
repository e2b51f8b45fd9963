import type { z } from 'zod'
import type { Alert } from '../agent/domain/alert.ts'
import type { WebhookDeps, WebhookSource } from './webhook-routes.ts'

/** How one sender's bodies are read; the agent reads the stored body again, later, with the same function. */
export interface ReadableFormat {
  name: string
  summary: string
  shape: z.ZodType
  parse(body: Uint8Array): { ok: true; alerts: readonly Alert[] } | { ok: false; words: string }
}

/** Where what was sent is looked up, and what cannot be read is kept. */
export interface DeliveryStore {
  accept(delivery: Parameters<WebhookDeps['keepRejected']>[0]): Promise<{ id: number; duplicate: boolean }>
  markRejected(id: number, error: string): Promise<void>
  newest: WebhookDeps['newest']
}

/** The webhooks of these formats. A rejected delivery has a key of its own, so that the same bytes can be taken once they can be read. */
export function webhookSources(
  formats: readonly ReadableFormat[],
  inbox: DeliveryStore,
): Pick<WebhookDeps, 'sources' | 'keepRejected' | 'newest'> {
  return {
    sources: formats.map(sourceOf),
    newest: inbox.newest,
    async keepRejected(delivery, words) {
      const { id, duplicate } = await inbox.accept({ ...delivery, deliveryKey: `rejected:${delivery.deliveryKey}` })
      if (!duplicate) await inbox.markRejected(id, words)
    },
  }
}

function sourceOf({ name, summary, shape, parse }: ReadableFormat): WebhookSource {
  return { name, summary, shape, read: parse }
}
