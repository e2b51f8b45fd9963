import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { createSilence } from './actions/silence.ts'
import { type AlertmanagerApi, createApi, ID } from './api.ts'

/** One server and the environment whose alerts may be silenced there. */
export interface AlertmanagerOptions {
  environment: string
  url: string
  token: string | null
}

const MAX_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 5_000
const CHECK_TIMEOUT_MS = 3_000

/** What may be done at these servers. What they send is read without any of this. */
export function createAlertmanager({ now }: Pick<IntegrationDeps, 'now'>, servers: readonly AlertmanagerOptions[]): Integration {
  const apis = servers.map(({ environment, url, token }) => ({
    environment,
    api: createApi({
      ...{ integration: ID, url, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS },
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    }),
  }))
  return {
    id: ID,
    environments: apis.map(({ environment }) => environment),
    actions: [createSilence({ servers: new Map(apis.map(({ environment, api }) => [environment, api])), now })],
    start: async () => {},
    stop: async () => {},
    check: () => Promise.all(apis.map(({ environment, api }) => checkServer(api, environment))),
  }
}

async function checkServer(api: AlertmanagerApi, environment: string): Promise<CheckResult> {
  const name = `${ID}/${environment}`
  try {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
    const [version] = await Promise.all([api.version(signal), api.silences(signal)])
    return { name, status: 'ok', words: `${api.url} answers (version ${version}); alerts may be silenced there`, fix: null }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    const isDenied = error.code === 'auth' || error.code === 'permission'
    const fix = isDenied
      ? 'Give it a token that may read and make silences: alertmanager[].tokenFile, or for the first ALERTMANAGER_TOKEN.'
      : `See that ${api.url} is the address of its API (ALERTMANAGER_URL, or alertmanager[].url) and can be reached from here.`
    return { name, status: 'failed', words: error.message, fix }
  }
}
