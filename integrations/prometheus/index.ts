import { z } from 'zod'
import type { CheckResult, Integration } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import { createMetrics } from './metrics.ts'
import type { SeriesNames } from './queries.ts'

/** One server and the environment it tells of. */
export interface PrometheusOptions {
  environment: string
  url: string
  /** Where people open it, when that is another address. */
  linkUrl: string | null
  /** A bearer token; null where the server asks for none. */
  token: string | null
  /** For servers with several tenants: X-Scope-OrgID. */
  tenant: string | null
  namespaces: readonly string[]
  scrapeSeconds: number
  names: SeriesNames
}

const ID = 'prometheus'
const MAX_BYTES = 8 * 1024 * 1024
const TIMEOUT_MS = 5_000
const CHECK_TIMEOUT_MS = 3_000

const buildSchema = z.object({ status: z.literal('success'), data: z.object({ version: z.string().max(100).optional() }) })

/** Read-only metrics of one environment. */
export function createPrometheus(options: PrometheusOptions): Integration & Required<Pick<Integration, 'metrics'>> {
  const { environment, url, token, tenant, namespaces, scrapeSeconds, names } = options
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
    metrics: createMetrics(server, { environment, namespaces, names, scrapeSeconds, linkUrl: options.linkUrl ?? url }),
    start: async () => {},
    stop: async () => {},
    check: async () => [await checkServer(server, environment)],
  }
}

async function checkServer(server: HttpServer, environment: string): Promise<CheckResult> {
  const name = `${ID}/${environment}`
  try {
    const question = { path: '/api/v1/status/buildinfo', query: {}, schema: buildSchema, signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) }
    const { data } = await getJson(server, question)
    return {
      name,
      status: 'ok',
      words: `${server.url} answers${data.version === undefined ? '' : ` (version ${data.version})`}`,
      fix: null,
    }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    // Not every server of this API has the page that tells its version.
    if (error.code === 'not_found') return { name, status: 'ok', words: `${server.url} answers`, fix: null }
    return { name, status: 'failed', words: error.message, fix: fixOf(error, server.url) }
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission')
    return 'Give it a token that may query: prometheus[].tokenFile, or for the first PROMETHEUS_TOKEN.'
  return `See that ${url} is the address of its HTTP API (PROMETHEUS_URL, or prometheus[].url) and can be reached from here.`
}
