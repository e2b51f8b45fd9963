import { z } from 'zod'

/**
 * The webhook body of version 4, as far as it is used; everything else may come and go.
 * https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export const webhookSchema = z.object({
  version: z.string().optional(),
  status: z.string().optional(),
  receiver: z.string().optional(),
  externalURL: z.string().optional(),
  groupKey: z.string().optional(),
  truncatedAlerts: z.number().int().nonnegative().catch(0).optional(),
  commonLabels: z.record(z.string(), z.unknown()).catch({}).optional(),
  commonAnnotations: z.record(z.string(), z.unknown()).catch({}).optional(),
  alerts: z.array(z.unknown()),
})

/** One item of the list. An item that is no object, or says neither here nor above whether it fires, is left out. */
export const itemSchema = z.object({
  status: z.enum(['firing', 'resolved']).optional(),
  labels: z.record(z.string(), z.unknown()).catch({}).optional(),
  annotations: z.record(z.string(), z.unknown()).catch({}).optional(),
  startsAt: z.unknown().optional(),
  endsAt: z.unknown().optional(),
  generatorURL: z.unknown().optional(),
  fingerprint: z.unknown().optional(),
})

export type Webhook = z.infer<typeof webhookSchema>
export type Item = z.infer<typeof itemSchema>
