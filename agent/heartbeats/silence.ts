import { z } from 'zod'
import { ALERTING_PATH, type Alert } from '../domain/alert.ts'

/** What this product calls itself where it raises an alert because another no longer comes. */
export const SOURCE = 'heartbeat'

/** An alert that fires always, so that its absence says that alerts no longer arrive. */
export interface ExpectedHeartbeat {
  /** Where the alerts come from, in words for people; unique. */
  name: string
  /** The webhook it comes by; null: any. */
  source: string | null
  /** What the alert is called. */
  alert: string
  /** Labels it has, among others. */
  match: Readonly<Record<string, string>>
  /** After so long without it people are told. */
  withinSeconds: number
  environment: string | null
  level: NonNullable<Alert['level']>
}

/** How long one of them has not been heard of; what is kept between two looks. */
export const silenceSchema = z.object({
  /** When it was heard last; or, before the first time, since when it is waited for. */
  since: z.iso.datetime(),
  heard: z.boolean(),
  lookedAt: z.iso.datetime(),
  /** Time in which somebody listened and it did not come. */
  silentMs: z.number().min(0),
  told: z.boolean(),
})
export type Silence = z.infer<typeof silenceSchema>

/**
 * Time between two looks that counts. Who was not running could hear nothing, so that a process that was away for a night does not begin with a
 * page; and a clock that is set forward pages nobody.
 */
const MOST_BETWEEN_LOOKS_MS = 15_000

/** Whether this is the alert that is expected. One that is over is none: whoever raised it no longer does. */
export function isHeartbeat({ source, alert, match }: ExpectedHeartbeat, heard: Alert): boolean {
  if ((source !== null && heard.source !== source) || heard.name !== alert) return false
  return Object.entries(match).every(([label, value]) => heard.labels[label] === value)
}

/** Pure: the silence as it is after one more look, and what is to be raised. Whoever looks at the same raises the same bytes. */
export function look(
  expected: ExpectedHeartbeat,
  before: Silence | null,
  heardAt: string | null,
  now: Date,
): { silence: Silence; alerts: Alert[] } {
  const lookedAt = now.toISOString()
  if (before === null)
    return { silence: { since: heardAt ?? lookedAt, heard: heardAt !== null, lookedAt, silentMs: 0, told: false }, alerts: [] }
  const limit = expected.withinSeconds * 1_000
  if (heardAt !== null && heardAt !== before.since) {
    const wasTold = before.told || before.silentMs >= limit
    const silence = { since: heardAt, heard: true, lookedAt, silentMs: 0, told: false }
    return { silence, alerts: wasTold ? [silenceAlert(expected, before, heardAt)] : [] }
  }
  const step = Math.min(Math.max(now.getTime() - Date.parse(before.lookedAt), 0), MOST_BETWEEN_LOOKS_MS)
  const silence = { ...before, lookedAt, silentMs: before.silentMs + step }
  if (before.told || silence.silentMs < limit) return { silence, alerts: [] }
  return { silence: { ...silence, told: true }, alerts: [silenceAlert(expected, before, null)] }
}

function silenceAlert(expected: ExpectedHeartbeat, { since, heard }: Silence, endsAt: string | null): Alert {
  const { name, alert, withinSeconds, environment, level } = expected
  const last = heard ? `was heard last at ${since.slice(0, 19)}Z` : `was never heard since ${since.slice(0, 19)}Z`
  return {
    source: SOURCE,
    key: `heartbeat:${name}`,
    name: `alerts no longer arrive from ${name}`,
    status: endsAt === null ? 'firing' : 'resolved',
    level,
    service: ALERTING_PATH,
    environment,
    summary: `${alert} ${last}, and is expected within ${withinSeconds} s. Real alerts may be lost: look at what raises and sends them, and at the way from there to here.`,
    labels: { heartbeat: name },
    annotations: {},
    startsAt: since,
    endsAt,
    link: null,
    trigger: null,
  }
}
