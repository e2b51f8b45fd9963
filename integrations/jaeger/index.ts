import { z } from 'zod'
import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import { createTraceSource } from '../ports/trace-source.ts'
import { createTraces } from './traces.ts'

/** One server and the environment whose traces it keeps. */
export interface JaegerOptions {
  environment: string
  /** Of its query service, with its base path where it has one. */
  url: string
  /** Where people open it, when that is another address. */
  linkUrl: string | null
  token: string | null
  /** x-tenant, where the server has tenants. */
  tenant: string | null
}

const ID = 'jaeger'
const MAX_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 5_000
const CHECK_TIMEOUT_MS = 3_000

const servicesSchema = z.object({ services: z.array(z.string().max(1_000)).max(10_000).nullish() })

/** Read-only traces of one environment, and the calls that are seen in them. */
export function createJaeger(deps: IntegrationDeps, options: JaegerOptions): Integration & Required<Pick<Integration, 'traces'>> {
  const { environment, url, token, tenant } = options
  const server: HttpServer = {
    integration: ID,
    url,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(tenant === null ? {} : { 'x-tenant': tenant }) },
    maxBytes: MAX_BYTES,
    timeoutMs: TIMEOUT_MS,
  }
  const traces = createTraces(server, options.linkUrl ?? url)
  const source = createTraceSource(deps, options, {
    services: (signal) => servicesOf(server, signal),
    sample: (service, signal) => traces.sample(service, deps.now(), signal),
    search: traces.search,
    open: traces.open,
  })
  return {
    id: ID,
    environments: [environment],
    ...source,
    check: async () => [await checkServer(server, environment)],
  }
}

async function servicesOf(server: HttpServer, signal: AbortSignal): Promise<string[]> {
  const { services } = await getJson(server, { path: '/api/v3/services', query: {}, schema: servicesSchema, signal })
  return services ?? []
}

/** That it answers, and that anybody sends traces to it. */
async function checkServer(server: HttpServer, environment: string): Promise<CheckResult> {
  const name = `${ID}/${environment}`
  try {
    const services = await servicesOf(server, AbortSignal.timeout(CHECK_TIMEOUT_MS))
    if (services.length > 0)
      return { name, status: 'ok', words: `${server.url} answers, and has traces of ${services.length} services`, fix: null }
    const words = `${server.url} answers, and has no traces of any service`
    return { name, status: 'warning', words, fix: 'See that the services send their traces to this server.' }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'failed', words: error.message, fix: fixOf(error, server.url) }
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission')
    return 'Give it a token that may query: jaeger[].tokenFile, or for the first JAEGER_TOKEN; and jaeger[].tenant where it has tenants.'
  if (code === 'not_found') return `See that ${url} is its query service, base path included, and that it has the API under /api/v3.`
  return `See that ${url} is the address of its query service (JAEGER_URL, or jaeger[].url) and can be reached from here.`
}
