import { z } from 'zod'
import type { CheckResult, Integration } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import { createLogs } from './logs.ts'

/** One server and the environment whose logs it keeps. */
export interface LokiOptions {
  environment: string
  url: string
  linkUrl: string | null
  token: string | null
  /** X-Scope-OrgID, where the server has tenants. */
  tenant: string | null
  serviceLabel: string
  match: Readonly<Record<string, string>>
  namespaces: readonly string[]
}

const ID = 'loki'
const MAX_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 5_000
const CHECK_TIMEOUT_MS = 3_000

const labelsSchema = z.object({ status: z.literal('success'), data: z.array(z.string()).max(10_000).optional() })

/** Read-only logs of one environment. */
export function createLoki(options: LokiOptions): Integration & Required<Pick<Integration, 'logs'>> {
  const { environment, url, linkUrl, token, tenant, serviceLabel, match, namespaces } = options
  const server: HttpServer = {
    integration: ID,
    url,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(tenant === null ? {} : { 'x-scope-orgid': tenant }),
    },
    maxBytes: MAX_BYTES,
    timeoutMs: TIMEOUT_MS,
  }
  return {
    id: ID,
    environments: [environment],
    logs: createLogs(server, { serviceLabel, match, namespaces, linkUrl: linkUrl ?? url }),
    start: async () => {},
    stop: async () => {},
    check: async () => [await checkServer(server, options)],
  }
}

/** That it answers, and that it has the label by which services are found. */
async function checkServer(server: HttpServer, { environment, serviceLabel }: LokiOptions): Promise<CheckResult> {
  const name = `${ID}/${environment}`
  try {
    const question = { path: '/loki/api/v1/labels', query: {}, schema: labelsSchema, signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) }
    const { data = [] } = await getJson(server, question)
    if (data.length === 0 || data.includes(serviceLabel)) return { name, status: 'ok', words: `${server.url} answers`, fix: null }
    const words = `${server.url} answers, and no log line of the last hours has the label ${serviceLabel}`
    return {
      name,
      status: 'warning',
      words,
      fix: `Set loki[].serviceLabel to the label that names a service. There are: ${data.slice(0, 20).join(', ')}.`,
    }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'failed', words: error.message, fix: fixOf(error, server.url) }
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission') return 'Give it a token that may query: loki[].tokenFile, or for the first LOKI_TOKEN.'
  return `See that ${url} is its address (LOKI_URL, or loki[].url) and can be reached from here.`
}
