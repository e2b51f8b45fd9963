import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import type { HttpServer } from '../http.ts'
import { createTraceSource } from '../ports/trace-source.ts'
import { createTraces, servicesOf } from './traces.ts'

/** One server and the environment whose traces it keeps. */
export interface TempoOptions {
  environment: string
  url: string
  linkUrl: string | null
  token: string | null
  /** X-Scope-OrgID, where the server has tenants. */
  tenant: string | null
  /** Exact values of attributes of what sends the spans. */
  match: Readonly<Record<string, string>>
  namespaces: readonly string[]
}

const ID = 'tempo'
const MAX_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 5_000
const CHECK_TIMEOUT_MS = 3_000

/** Read-only traces of one environment, and the calls that are seen in them. */
export function createTempo(deps: IntegrationDeps, options: TempoOptions): Integration & Required<Pick<Integration, 'traces'>> {
  const { environment, url, token, tenant, match, namespaces } = options
  const server: HttpServer = {
    integration: ID,
    url,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(tenant === null ? {} : { 'x-scope-orgid': tenant }) },
    maxBytes: MAX_BYTES,
    timeoutMs: TIMEOUT_MS,
  }
  const traces = createTraces(server, { match, namespaces, linkUrl: options.linkUrl ?? url })
  const source = createTraceSource(deps, options, {
    services: (signal) => servicesOf(server, deps.now(), signal),
    sample: (service, signal) => traces.sample(service, deps.now(), signal),
    search: traces.search,
    open: traces.open,
  })
  return {
    id: ID,
    environments: [environment],
    ...source,
    check: async () => [await checkServer(server, environment, deps.now())],
  }
}

/** That it answers, and that anybody sends traces to it. */
async function checkServer(server: HttpServer, environment: string, now: Date): Promise<CheckResult> {
  const name = `${ID}/${environment}`
  try {
    const services = await servicesOf(server, now, AbortSignal.timeout(CHECK_TIMEOUT_MS))
    if (services.length > 0)
      return {
        name,
        status: 'ok',
        words: `${server.url} answers, and has traces of ${services.length} services of the last hour`,
        fix: null,
      }
    const words = `${server.url} answers, and has no traces of the last hour`
    return {
      name,
      status: 'warning',
      words,
      fix: 'See that the services send their traces to this server, and that tempo[].tenant is theirs.',
    }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'failed', words: error.message, fix: fixOf(error, server.url) }
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission')
    return 'Give it a token that may query: tempo[].tokenFile, or for the first TEMPO_TOKEN; and tempo[].tenant where it has tenants.'
  return `See that ${url} is the address of its HTTP API (TEMPO_URL, or tempo[].url) and can be reached from here.`
}
