import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import type { Commit, Comparison, FileChange, PipelineRun } from '../ports/repositories.ts'
import {
  commitSchema,
  comparisonSchema,
  diffsSchema,
  type GitlabCommit,
  type GitlabComparison,
  type GitlabDiff,
  pipelinesSchema,
  requestsSchema,
} from './schema.ts'

export const ID = 'gitlab'

/** Commits that are told of, and those whose lines and request are asked for: each is two questions. */
const MOST_COMMITS = 100
const MOST_READ = 10
const MOST_FILES = 100
const MOST_RUNS = 5
const MOST_PATCH = 4_000
const MOST_TITLE = 300

/**
 * What lies between two states of a project. What only adds to it (lines, requests, pipelines) is left out where it cannot be read, and that is said.
 *
 * @throws IntegrationError when the two cannot be compared
 */
export async function compareRefs(
  server: HttpServer,
  project: string,
  { from, to }: { from: string; to: string },
  signal?: AbortSignal,
): Promise<Comparison> {
  const [head, ahead, behind] = await Promise.all([
    get(server, { path: `${pathOf(project)}/repository/commits/${encodeURIComponent(to)}`, schema: commitSchema, signal }),
    compare(server, project, { from, to }, signal),
    // GitLab does not say of two states which is the older one: what went is the same question the other way round.
    compare(server, project, { from: to, to: from }, signal),
  ])
  const direction = directionOf(ahead, behind)
  const found = direction === 'back' ? behind : ahead
  const newest = found.commits.toReversed()
  const [commits, runs] = await Promise.all([
    readCommits(server, project, newest.slice(0, MOST_COMMITS), signal),
    readRuns(server, project, head.id, signal),
  ])
  const [older, newer] = direction === 'back' ? [to, from] : [from, to]
  const left = newest.length - MOST_COMMITS
  return {
    repository: project,
    query: `GET /projects/${project}/repository/compare?from=${older}&to=${newer}`,
    link: found.web_url ?? null,
    direction,
    commits: commits.value,
    totalCommits: newest.length,
    files: found.diffs.slice(0, MOST_FILES).map((diff) => withoutLines(fileOf(diff))),
    runs: runs.value,
    limits: [
      ...(left > 0 ? [`${left} older commits were left out`] : []),
      ...(found.compare_timeout || found.diffs.length > MOST_FILES ? ['not all changed files are listed'] : []),
      ...commits.limits,
      ...runs.limits,
    ],
  }
}

function directionOf(ahead: GitlabComparison, behind: GitlabComparison): Comparison['direction'] {
  if (ahead.commits.length === 0) return behind.commits.length === 0 ? 'same' : 'back'
  return behind.commits.length === 0 ? 'forward' : 'apart'
}

/** A project stands by its whole path where its number could. */
export function pathOf(project: string): string {
  return `/projects/${encodeURIComponent(project)}`
}

async function get<T>(
  server: HttpServer,
  question: {
    path: string
    query?: Record<string, string>
    schema: Parameters<typeof getJson<T>>[1]['schema']
    signal: AbortSignal | undefined
  },
): Promise<T> {
  return await getJson(server, { query: {}, ...question })
}

async function compare(
  server: HttpServer,
  project: string,
  refs: { from: string; to: string },
  signal: AbortSignal | undefined,
): Promise<GitlabComparison> {
  return await get(server, { path: `${pathOf(project)}/repository/compare`, query: refs, schema: comparisonSchema, signal })
}

interface Read<T> {
  value: T
  limits: string[]
}

async function readCommits(
  server: HttpServer,
  project: string,
  newest: readonly GitlabCommit[],
  signal: AbortSignal | undefined,
): Promise<Read<Commit[]>> {
  // What a merge brought in is in the commits that it merged.
  const plain = newest.filter((each) => !isMerge(each))
  const wanted = new Set(plain.slice(0, MOST_READ))
  const read = await Promise.all(
    newest.map(async (each) => {
      if (!wanted.has(each)) return { value: toCommit(each, null, null), limits: [] }
      const path = `${pathOf(project)}/repository/commits/${each.id}`
      const [files, requests] = await Promise.all([
        orNothing('the lines of commits', () =>
          get(server, { path: `${path}/diff`, query: { per_page: '100' }, schema: diffsSchema, signal }),
        ),
        orNothing('merge requests', () => get(server, { path: `${path}/merge_requests`, schema: requestsSchema, signal })),
      ])
      const request = requests.value?.find(({ state }) => state === 'merged') ?? requests.value?.[0]
      return { value: toCommit(each, files.value, request ? `!${request.iid}` : null), limits: [...files.limits, ...requests.limits] }
    }),
  )
  const unread = plain.length - wanted.size
  return {
    value: read.map(({ value }) => value),
    limits: [
      ...new Set([
        ...(unread > 0 ? [`the lines of the newest ${MOST_READ} commits were read, of ${unread} older ones not`] : []),
        ...read.flatMap(({ limits }) => limits),
      ]),
    ],
  }
}

function isMerge({ parent_ids: parents }: GitlabCommit): boolean {
  return parents.length > 1
}

function toCommit(each: GitlabCommit, diffs: readonly GitlabDiff[] | null, request: string | null): Commit {
  return {
    ...{ sha: each.id, title: each.title.slice(0, MOST_TITLE), author: each.author_name ?? null, at: new Date(each.committed_date) },
    ...{ link: each.web_url ?? null, request, isMerge: isMerge(each) },
    files: diffs?.slice(0, MOST_FILES).map(fileOf) ?? null,
  }
}

/** GitLab does not count lines. */
function fileOf({ new_path: path, diff }: GitlabDiff): FileChange {
  const lines = diff.split('\n')
  return {
    path,
    additions: lines.filter((line) => line.startsWith('+')).length,
    deletions: lines.filter((line) => line.startsWith('-')).length,
    patch: diff === '' ? null : diff.slice(0, MOST_PATCH),
  }
}

function withoutLines({ path, additions, deletions }: FileChange): Comparison['files'][number] {
  return { path, additions, deletions }
}

/** The latest pipeline of each branch or tag, those that did not succeed first. */
async function readRuns(server: HttpServer, project: string, sha: string, signal: AbortSignal | undefined): Promise<Read<PipelineRun[]>> {
  const query = { sha, per_page: '20', order_by: 'id', sort: 'desc' }
  const { value, limits } = await orNothing('pipelines', () =>
    get(server, { path: `${pathOf(project)}/pipelines`, query, schema: pipelinesSchema, signal }),
  )
  const latest = new Map((value ?? []).toReversed().map((each) => [each.ref ?? '', each]))
  const runs = [...latest.values()].map(({ ref, status, web_url: link }) => ({
    ...{
      name: `pipeline of ${(ref ?? 'an unknown branch').slice(0, 100)}`,
      state: STATES[status] ?? ('other' as const),
      link: link ?? null,
    },
  }))
  return { value: runs.toSorted((a, b) => Number(isGood(a)) - Number(isGood(b))).slice(0, MOST_RUNS), limits }
}

const STATES: Readonly<Record<string, PipelineRun['state']>> = {
  success: 'succeeded',
  failed: 'failed',
  canceled: 'cancelled',
  canceling: 'cancelled',
  running: 'running',
  pending: 'running',
  created: 'running',
  preparing: 'running',
  waiting_for_resource: 'running',
}

function isGood({ state }: PipelineRun): boolean {
  return state === 'succeeded'
}

async function orNothing<T>(what: string, ask: () => Promise<T>): Promise<{ value: T | null; limits: string[] }> {
  try {
    return { value: await ask(), limits: [] }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { value: null, limits: [`${what} could not be read: ${error.message.replace(`${ID}: `, '').slice(0, 120)}`] }
  }
}
