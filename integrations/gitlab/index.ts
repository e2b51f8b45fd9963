import { z } from 'zod'
import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import { createComparisons, type NamedRepository } from '../ports/compared-versions.ts'
import { compareRefs, ID, pathOf } from './compare.ts'
import { projectSchema } from './schema.ts'

/** One server, the environment that is deployed from it, and where its services are. */
export interface GitlabOptions {
  environment: string
  /** Without /api/v4. */
  url: string
  /** Reads, and is sent to no other server. */
  token: string | null
  /** By service; a repository is a project's whole path. */
  repositories: Readonly<Record<string, NamedRepository>>
}

const MAX_BYTES = 8 * 1024 * 1024
const TIMEOUT_MS = 5_000
const CHECK_TIMEOUT_MS = 10_000
const TOKEN_FIX =
  'Give it a project or group access token with read_api and the role Reporter: gitlab[].tokenFile, or for the first GITLAB_TOKEN.'

/** Read-only: what changed in the projects of services between two deployed versions. */
export function createGitlab(
  { now }: Pick<IntegrationDeps, 'now'>,
  { environment, url, token, repositories }: GitlabOptions,
): Integration & Required<Pick<Integration, 'repositories'>> {
  const server: HttpServer = {
    ...{ integration: ID, url: `${url}/api/v4`, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS },
    headers: token === null ? {} : { 'private-token': token },
  }
  return {
    id: ID,
    environments: [environment],
    repositories: createComparisons(ID, repositories, now, (project, refs, signal) => compareRefs(server, project, refs, signal)),
    start: async () => {},
    stop: async () => {},
    async check() {
      const projects = [...new Set(Object.values(repositories).map(({ repository }) => repository))]
      const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
      return await Promise.all(projects.map((each) => checkProject(server, each, `${ID}/${environment}/${each}`, signal)))
    },
  }
}

const PARTS = [
  { what: 'commits', path: 'repository/commits', isNeeded: true },
  { what: 'merge requests', path: 'merge_requests', isNeeded: false },
  { what: 'pipelines', path: 'pipelines', isNeeded: false },
] as const

/** That it is there, and what of it the token may read. GitLab answers 404 for what exists and may not be seen. */
async function checkProject(server: HttpServer, project: string, name: string, signal: AbortSignal): Promise<CheckResult> {
  try {
    await getJson(server, { path: pathOf(project), query: {}, schema: projectSchema, signal })
    const denied = await Promise.all(PARTS.map(({ path }) => isDenied(server, `${pathOf(project)}/${path}`, signal)))
    const missing = PARTS.filter((_, i) => denied[i])
    if (missing.length === 0) return { name, status: 'ok', words: `${project} can be read: commits, merge requests, pipelines`, fix: null }
    const words = `${project} is there, and the token may not read its ${missing.map(({ what }) => what).join(', ')}`
    return { name, status: missing.some(({ isNeeded }) => isNeeded) ? 'failed' : 'warning', words, fix: TOKEN_FIX }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'failed', words: `${project}: ${error.message}`, fix: fixOf(error, server.url) }
  }
}

async function isDenied(server: HttpServer, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await getJson(server, { path, query: { per_page: '1' }, schema: z.unknown(), signal })
    return false
  } catch (error) {
    if (error instanceof IntegrationError && (error.code === 'permission' || error.code === 'not_found')) return true
    throw error
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission') return TOKEN_FIX
  if (code === 'not_found') return `See that its path is right, and that the token may see it. ${TOKEN_FIX}`
  if (code === 'rate_limited') return 'Wait, and see whether something else uses the same token.'
  return `See that ${url} is the address of its API (gitlab[].url) and can be reached from here.`
}
