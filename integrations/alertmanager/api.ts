import { z } from 'zod'
import { getJson, type HttpServer, type Sent, sendJson } from '../http.ts'
import type { Labels } from './alert-labels.ts'

export const ID = 'alertmanager'

/** Of API version 2, as far as it is used: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
const labelSet = z.record(z.string(), z.string())
const alertsSchema = z
  .array(
    z.object({
      labels: labelSet,
      status: z.object({ state: z.enum(['unprocessed', 'active', 'suppressed']), silencedBy: z.array(z.string()) }),
    }),
  )
  .max(20_000)
export type FiringAlert = z.infer<typeof alertsSchema>[number]

const silencesSchema = z
  .array(
    z.object({
      id: z.uuid(),
      status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
      matchers: z.array(z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) })),
      createdBy: z.string(),
      comment: z.string(),
      endsAt: z.string(),
    }),
  )
  .max(20_000)
export type Silence = z.infer<typeof silencesSchema>[number]

const madeSchema = z.object({ silenceID: z.string() })
const statusSchema = z.object({ versionInfo: z.object({ version: z.string().max(100) }) })

export interface NewSilence {
  matchers: readonly { name: string; value: string; isRegex: boolean; isEqual: boolean }[]
  startsAt: string
  endsAt: string
  createdBy: string
  comment: string
}

/** One Alertmanager, read and changed. Every call throws IntegrationError where it gets no sound answer. */
export interface AlertmanagerApi {
  url: string
  /** What fires now, silenced or not; what an inhibition holds back as well. */
  alerts(signal?: AbortSignal): Promise<FiringAlert[]>
  /** All it still knows, expired ones included. */
  silences(signal?: AbortSignal): Promise<Silence[]>
  silence(made: NewSilence, signal: AbortSignal): Promise<Sent<unknown>>
  expire(id: string, signal: AbortSignal): Promise<Sent<unknown>>
  version(signal: AbortSignal): Promise<string>
}

export function createApi(server: HttpServer): AlertmanagerApi {
  return {
    url: server.url,
    alerts: (signal) => getJson(server, { path: '/api/v2/alerts', query: {}, schema: alertsSchema, signal }),
    silences: (signal) => getJson(server, { path: '/api/v2/silences', query: {}, schema: silencesSchema, signal }),
    silence: (made, signal) => sendJson(server, { method: 'POST', path: '/api/v2/silences', body: made, schema: madeSchema, signal }),
    expire: (id, signal) => {
      const path = `/api/v2/silence/${encodeURIComponent(id)}`
      return sendJson(server, { method: 'DELETE', path, body: null, schema: null, signal })
    },
    async version(signal) {
      const { versionInfo } = await getJson(server, { path: '/api/v2/status', query: {}, schema: statusSchema, signal })
      return versionInfo.version
    },
  }
}

/** Each label of one alert, exactly: nothing without all of them is held. */
export function matchersOf(labels: Labels): NewSilence['matchers'] {
  return Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
}

/** The labels that a silence asks for; null for one that asks for anything else than exact labels. */
export function labelsOfSilence({ matchers }: Silence): Labels | null {
  const isExact = matchers.every(({ isRegex, isEqual }) => isEqual && !isRegex)
  return isExact ? Object.fromEntries(matchers.map(({ name, value }) => [name, value])) : null
}
