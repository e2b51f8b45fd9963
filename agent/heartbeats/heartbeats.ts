import { z } from 'zod'
import type { Alert } from '../domain/alert.ts'
import { type ExpectedHeartbeat, isHeartbeat, look, silenceSchema } from './silence.ts'

export interface HeartbeatsDeps {
  expected: readonly ExpectedHeartbeat[]
  /** Small facts that survive a restart, and that every replica sees. */
  meta: { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<void> }
  /** Durable when it resolves; the same alerts again are taken once. */
  raise(alerts: readonly Alert[]): Promise<void>
  now: () => Date
}

/** The alerts that fire always: heard where they arrive, missed where nobody hears them any more. */
export interface Heartbeats {
  /** Whether an alert is one of them, and so no reason for an incident. */
  expects(alert: Alert): boolean
  /** Notes which of them these alerts, as they arrived, are. */
  heard(alerts: readonly Alert[]): Promise<void>
  /** Raises an alert for each that was not heard for too long, and ends it when it is heard again. Call it every few seconds. */
  look(): Promise<void>
}

const heardSchema = z.object({ at: z.iso.datetime() })

/**
 * Each replica that takes deliveries looks for itself: what they keep is shared, and what they raise is the same bytes, which are taken once. So
 * none of them has to be the one that is alive.
 */
export function createHeartbeats({ expected, meta, raise, now }: HeartbeatsDeps): Heartbeats {
  const heardKey = ({ name }: ExpectedHeartbeat): string => `heartbeat:${name}:heard`
  const silenceKey = ({ name }: ExpectedHeartbeat): string => `heartbeat:${name}:silence`
  const lookAt = async (each: ExpectedHeartbeat): Promise<void> => {
    const before = silenceSchema.safeParse(await meta.get(silenceKey(each))).data ?? null
    const heardAt = heardSchema.safeParse(await meta.get(heardKey(each))).data?.at ?? null
    const { silence, alerts } = look(each, before, heardAt, now())
    // First what people are told: whoever ends between the two raises it again, to no effect.
    if (alerts.length > 0) await raise(alerts)
    await meta.set(silenceKey(each), silence)
  }
  return {
    expects: (alert) => expected.some((each) => isHeartbeat(each, alert)),
    async heard(alerts) {
      const firing = alerts.filter(({ status }) => status === 'firing')
      const heard = expected.filter((each) => firing.some((alert) => isHeartbeat(each, alert)))
      for (const each of heard) await meta.set(heardKey(each), { at: now().toISOString() })
    },
    async look() {
      for (const each of expected) await lookAt(each)
    },
  }
}
