import { z } from 'zod'
import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { createComparisons, type NamedRepository } from '../ports/compared-versions.ts'
import { createChangeValue } from './actions/change-value.ts'
import type { FindPlace } from './actions/pull-request.ts'
import { createRevertCommit } from './actions/revert-commit.ts'
import { createClient, type GithubClient, ID } from './client.ts'
import { compareRefs, type Place } from './compare.ts'
import { repositorySchema } from './schema.ts'

/** One server, the environment that is deployed from it, and where its services are. */
export interface GithubOptions {
  environment: string
  url: string
  /** Reads, and is sent to no other server. */
  token: string | null
  /** Opens pull requests, and is sent with nothing else; null in a process that only reads. */
  writeToken: string | null
  /** By service. `manifests`: where what is deployed is written down, if that is another repository. */
  repositories: Readonly<Record<string, NamedRepository & { manifests: string | null }>>
  /** Kinds of actions, such as github.revert-commit; none means that it is only read. */
  actions: readonly string[]
}

const CHECK_TIMEOUT_MS = 10_000
const TOKEN_FIX = 'Give it a fine-grained token for these repositories: github[].tokenFile, or for the first GITHUB_TOKEN.'

/** One integration for each server that is read, and one that acts at all of those that allow it. */
export function createGithub({ now }: Pick<IntegrationDeps, 'now'>, servers: readonly GithubOptions[]): Integration[] {
  const places = servers.map((options) => ({ options, client: createClient(options) }))
  const acting = places.filter(({ options }) => options.actions.length > 0)
  const read = places.map(({ options, client }) => readIntegration(client, options, now))
  return acting.length === 0 ? read : [...read, actIntegration(acting)]
}

interface Server {
  options: GithubOptions
  client: GithubClient
}

/** What was deployed is changed where it is written down, and a commit is taken back where it was made. */
function actIntegration(acting: readonly Server[]): Integration {
  const find =
    (isOfManifests: boolean): FindPlace =>
    ({ environment, name }, kind) => {
      for (const { options, client } of acting) {
        const named = options.repositories[name]
        if (options.environment !== environment || !options.actions.includes(kind) || !Object.hasOwn(options.repositories, name) || !named)
          continue
        return { client, repository: (isOfManifests ? named.manifests : null) ?? named.repository }
      }
      return null
    }
  const all = [createRevertCommit(find(false)), createChangeValue(find(true))]
  return {
    id: ID,
    environments: [...new Set(acting.map(({ options }) => options.environment))],
    actions: all.filter(({ definition: { kind } }) => acting.some(({ options }) => options.actions.includes(kind))),
    start: async () => {},
    stop: async () => {},
    check: () => Promise.all(acting.map(({ options }) => checkWriting(options))),
  }
}

/** What the other token may do GitHub does not tell; that it is known there, and sees the repositories, it does. */
async function checkWriting({ environment, url, writeToken, repositories }: GithubOptions): Promise<CheckResult> {
  const name = `${ID}/${environment}/pull requests`
  const fix =
    'Give it Contents: read and write, Pull requests: read and write: github[].writeTokenFile, or for the first GITHUB_WRITE_TOKEN.'
  if (writeToken === null) return { name, status: 'warning', words: 'this process has no token to open pull requests with', fix }
  const client = createClient({ url, token: writeToken, writeToken: null })
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
  try {
    for (const { repository, manifests } of Object.values(repositories))
      await client.get({
        ...{ route: 'GET /repos/{owner}/{repo}', parameters: { ...placeOf(manifests ?? repository) }, schema: repositorySchema, signal },
      })
    return { name, status: 'ok', words: 'the token that opens pull requests sees the repositories', fix: null }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'failed', words: error.message, fix }
  }
}

/** What changed in the repositories of services between two deployed versions. */
function readIntegration(client: GithubClient, options: GithubOptions, now: () => Date): Integration {
  return {
    id: ID,
    environments: [options.environment],
    repositories: createComparisons(ID, options.repositories, now, (repository, refs, signal) =>
      compareRefs(client, placeOf(repository), refs, signal),
    ),
    start: async () => {},
    stop: async () => {},
    async check() {
      const named = Object.values(options.repositories)
      const repositories = [...new Set(named.flatMap(({ repository, manifests }) => [repository, ...(manifests ? [manifests] : [])]))]
      const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
      return await Promise.all(repositories.map((each) => checkRepository(client, each, `${ID}/${options.environment}/${each}`, signal)))
    },
  }
}

function placeOf(repository: string): Place {
  const [owner = '', repo = ''] = repository.split('/')
  return { owner, repo }
}

const PARTS = [
  { right: 'Contents: read', what: 'commits', route: 'GET /repos/{owner}/{repo}/commits', isNeeded: true },
  { right: 'Pull requests: read', what: 'pull requests', route: 'GET /repos/{owner}/{repo}/pulls', isNeeded: false },
  { right: 'Actions: read', what: 'workflow runs', route: 'GET /repos/{owner}/{repo}/actions/runs', isNeeded: false },
] as const

/** That it is there, and what of it the token may read. GitHub answers 404 for what exists and may not be seen. */
async function checkRepository(client: GithubClient, repository: string, name: string, signal: AbortSignal): Promise<CheckResult> {
  const parameters = placeOf(repository)
  try {
    await client.get({ route: 'GET /repos/{owner}/{repo}', parameters: { ...parameters }, schema: repositorySchema, signal })
    const denied = await Promise.all(PARTS.map((part) => isDenied(client, part.route, parameters, signal)))
    const missing = PARTS.filter((_, i) => denied[i])
    if (missing.length === 0)
      return { name, status: 'ok', words: `${repository} can be read: commits, pull requests, workflow runs`, fix: null }
    const words = `${repository} is there, and the token may not read its ${missing.map(({ what }) => what).join(', ')}`
    const fix = `Grant the token ${missing.map(({ right }) => right).join(', ')}.`
    return { name, status: missing.some(({ isNeeded }) => isNeeded) ? 'failed' : 'warning', words, fix }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'failed', words: `${repository}: ${error.message}`, fix: fixOf(error, client.url) }
  }
}

async function isDenied(client: GithubClient, route: string, place: Place, signal: AbortSignal): Promise<boolean> {
  try {
    await client.get({ route, parameters: { ...place, per_page: 1 }, schema: z.unknown(), signal })
    return false
  } catch (error) {
    if (error instanceof IntegrationError && (error.code === 'permission' || error.code === 'not_found')) return true
    throw error
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission') return TOKEN_FIX
  if (code === 'not_found') return `See that its name is right, and that the token may see it. ${TOKEN_FIX}`
  if (code === 'rate_limited') return 'Wait, and see whether something else uses the same token.'
  return `See that ${url} is the address of its API (github[].url) and can be reached from here.`
}
