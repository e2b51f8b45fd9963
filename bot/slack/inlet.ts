import { createHash } from 'node:crypto'
import { z } from 'zod'
import { SLACK_SOURCE, workKindOf } from './work-kinds.ts'

/** Whatever Slack sends, by HTTP or by Socket Mode: what has to be known before it is stored. */
const sentSchema = z.looseObject({
  type: z.string().max(100).optional(),
  api_app_id: z.string().max(100).optional(),
  event_id: z.string().max(200).optional(),
})

export interface InletDeps {
  inbox: {
    accept(delivery: {
      source: string
      deliveryKey: string
      body: Uint8Array
      headers: Readonly<Record<string, string>>
      jobKind: string
      urgent: boolean
    }): Promise<{ id: number; duplicate: boolean }>
  }
  /** The one app that may send; null for any. */
  appId: string | null
}

/** The one way in for whatever Slack sends: stored, with its work queued in the same commit, before it is acknowledged. */
export interface Inlet {
  /** duplicate: the same was stored before, so nothing follows from it · foreign: for another app, so it was not stored. */
  take(sent: unknown): Promise<'taken' | 'duplicate' | 'foreign' | 'unreadable'>
}

export function createInlet({ inbox, appId }: InletDeps): Inlet {
  return {
    async take(sent) {
      const parsed = sentSchema.safeParse(sent)
      if (!parsed.success) return 'unreadable'
      // The verification token is a shared secret of old; nothing here needs it.
      const { token: _token, ...kept } = parsed.data
      if (appId !== null && isForeign(parsed.data, appId)) return 'foreign'
      const body = Buffer.from(JSON.stringify(kept))
      const delivery = {
        source: SLACK_SOURCE,
        deliveryKey: keyOf(parsed.data.event_id, body),
        body,
        headers: {},
        jobKind: workKindOf(kept),
        // Slack waits three seconds, and whoever clicked sees it wait.
        urgent: true,
      }
      const { duplicate } = await inbox.accept(delivery)
      return duplicate ? 'duplicate' : 'taken'
    },
  }
}

const SHORTCUTS: readonly unknown[] = ['shortcut', 'message_action']

/** Everything names its app but shortcuts, which came signed for this app all the same. */
function isForeign({ type, api_app_id: sender }: z.infer<typeof sentSchema>, appId: string): boolean {
  return sender === undefined ? !SHORTCUTS.includes(type) : sender !== appId
}

/** An event has a name of its own; a click, command or form is the same when every byte is, its trigger and its time among them. */
function keyOf(eventId: string | undefined, body: Uint8Array): string {
  return eventId === undefined ? `sent:${createHash('sha256').update(body).digest('hex')}` : `event:${eventId}`
}
