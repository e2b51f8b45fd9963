import { z } from 'zod'

/** What a service or environment is called that an alert does not name. */
export const UNKNOWN = 'unknown'
/** The service of an alert that says that others no longer come. No workload can have this name: nothing can be done to it by an action. */
export const ALERTING_PATH = 'alerting path'

export const ALERT_LEVELS = ['critical', 'high', 'warning', 'info'] as const

/** One alert after normalisation, whoever sent it. What the sender did not say is null, never invented. */
export const alertSchema = z.object({
  /** The integration it came from: 'alertmanager', 'local', 'generic' … */
  source: z.string().min(1).max(64),
  /** Stable identity of this alert at its source: the same key means the same alert again. */
  key: z.string().min(1).max(512),
  name: z.string().min(1).max(300),
  status: z.enum(['firing', 'resolved']),
  level: z.enum(ALERT_LEVELS).nullable(),
  service: z.string().max(200).nullable(),
  environment: z.string().max(100).nullable(),
  summary: z.string().max(2_000).nullable(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  /** RFC 3339; the moment the source says it began. */
  startsAt: z.iso.datetime({ offset: true }).nullable(),
  endsAt: z.iso.datetime({ offset: true }).nullable(),
  /** Link to the source's own page, if it gave one. */
  link: z.string().max(2_000).nullable(),
  /** The metric that triggered it, when the source says so; what verification and "healed?" read again. */
  trigger: z
    .object({
      service: z.string(),
      metric: z.string(),
      comparator: z.enum(['>', '<']),
      threshold: z.number(),
    })
    .nullable(),
})

export type Alert = z.infer<typeof alertSchema>

/** What was heard last of each alert: one for each source and key, in the order they were first heard of. */
export function latestOfEach<T extends Pick<Alert, 'source' | 'key'>>(alerts: readonly T[]): T[] {
  return [...new Map(alerts.map((alert) => [`${alert.source} ${alert.key}`, alert])).values()]
}

/** The source of an alert that no monitoring raised: a person asked for something. */
export const ASKED_BY_PERSON = 'person'
