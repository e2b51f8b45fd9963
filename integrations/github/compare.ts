import { IntegrationError } from '../errors.ts'
import type { Commit, Comparison, PipelineRun } from '../ports/repositories.ts'
import { type GithubClient, ID } from './client.ts'
import {
  commitDetailSchema,
  commitHeadSchema,
  comparisonSchema,
  type GithubCommit,
  type GithubComparison,
  type GithubFile,
  pullsSchema,
  runsSchema,
} from './schema.ts'

/** A page of commits; what is on later ones is counted and left out. */
const PAGE = 100
/** Commits whose lines and request are asked for: each is two questions. */
const MOST_READ = 10
const MOST_FILES = 100
const MOST_RUNS = 5
const MOST_PATCH = 4_000
const MOST_TITLE = 300

/** 'acme/payments' in its parts. */
export interface Place {
  owner: string
  repo: string
}

/**
 * What lies between two states of a repository. What only adds to it (lines, requests, runs) is left out where it cannot be read, and that is said.
 *
 * @throws IntegrationError when the two cannot be compared
 */
export async function compareRefs(
  client: GithubClient,
  place: Place,
  { from, to }: { from: string; to: string },
  signal?: AbortSignal,
): Promise<Comparison> {
  const [head, ahead] = await Promise.all([headOf(client, place, to, signal), compare(client, place, `${from}...${to}`, signal)])
  // An older version has nothing that the newer one lacks: what went is the same question the other way round.
  const isBack = ahead.status === 'behind'
  const found = isBack ? await compare(client, place, `${to}...${from}`, signal) : ahead
  const newest = found.commits.toReversed()
  const [commits, runs] = await Promise.all([readCommits(client, place, newest, signal), readRuns(client, place, head, signal)])
  const files = (found.files ?? []).slice(0, MOST_FILES)
  return {
    repository: `${place.owner}/${place.repo}`,
    query: `GET /repos/${place.owner}/${place.repo}/compare/${isBack ? `${to}...${from}` : `${from}...${to}`}`,
    link: found.html_url ?? null,
    direction: DIRECTIONS[ahead.status],
    commits: commits.value,
    totalCommits: found.total_commits,
    files: files.map(({ filename, additions, deletions }) => ({ path: filename, additions, deletions })),
    runs: runs.value,
    limits: [
      ...(found.total_commits > found.commits.length ? [`${found.total_commits - found.commits.length} older commits were left out`] : []),
      ...((found.files?.length ?? 0) > MOST_FILES || found.files?.length === 300 ? ['not all changed files are listed'] : []),
      ...commits.limits,
      ...runs.limits,
    ],
  }
}

const DIRECTIONS: Readonly<Record<GithubComparison['status'], Comparison['direction']>> = {
  ahead: 'forward',
  behind: 'back',
  diverged: 'apart',
  identical: 'same',
}

async function compare(client: GithubClient, { owner, repo }: Place, basehead: string, signal?: AbortSignal): Promise<GithubComparison> {
  const route = 'GET /repos/{owner}/{repo}/compare/{basehead}'
  const first = await client.get({ route, parameters: { owner, repo, basehead, per_page: PAGE }, schema: comparisonSchema, signal })
  const last = Math.ceil(first.total_commits / PAGE)
  if (last <= 1) return first
  // The oldest come first: those that are nearest to the newer version are on the last page.
  const rest = await client.get({
    route,
    parameters: { owner, repo, basehead, per_page: PAGE, page: last },
    schema: comparisonSchema,
    signal,
  })
  return { ...first, commits: rest.commits }
}

async function headOf(client: GithubClient, { owner, repo }: Place, ref: string, signal?: AbortSignal): Promise<string> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}'
  return (await client.get({ route, parameters: { owner, repo, ref, per_page: 1 }, schema: commitHeadSchema, signal })).sha
}

interface Read<T> {
  value: T
  limits: string[]
}

async function readCommits(
  client: GithubClient,
  place: Place,
  newest: readonly GithubCommit[],
  signal?: AbortSignal,
): Promise<Read<Commit[]>> {
  // What a merge brought in is in the commits that it merged.
  const wanted = new Set(newest.filter((each) => !isMerge(each)).slice(0, MOST_READ))
  const read = await Promise.all(
    newest.map(async (each) => {
      if (!wanted.has(each)) return { value: toCommit(each, null, null), limits: [] }
      const [files, request] = await Promise.all([
        orNothing('the lines of commits', () => filesOf(client, place, each, signal)),
        orNothing('pull requests', () => requestOf(client, place, each, signal)),
      ])
      return { value: toCommit(each, files.value, request.value), limits: [...files.limits, ...request.limits] }
    }),
  )
  const unread = newest.filter((each) => !isMerge(each)).length - wanted.size
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

function isMerge({ parents }: GithubCommit): boolean {
  return parents.length > 1
}

function toCommit(each: GithubCommit, files: readonly GithubFile[] | null, request: string | null): Commit {
  const { sha, html_url: link, commit, author } = each
  return {
    sha,
    title: (commit.message.split('\n', 1)[0] ?? '').slice(0, MOST_TITLE),
    author: author?.login ?? commit.author?.name ?? null,
    at: new Date(commit.committer?.date ?? commit.author?.date ?? 0),
    link: link ?? null,
    request,
    isMerge: isMerge(each),
    files:
      files?.slice(0, MOST_FILES).map(({ filename, additions, deletions, patch }) => ({
        ...{ path: filename, additions, deletions },
        patch: patch === undefined ? null : patch.slice(0, MOST_PATCH),
      })) ?? null,
  }
}

async function filesOf(client: GithubClient, { owner, repo }: Place, { sha }: GithubCommit, signal?: AbortSignal): Promise<GithubFile[]> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}'
  return (await client.get({ route, parameters: { owner, repo, ref: sha }, schema: commitDetailSchema, signal })).files ?? []
}

/** The one that was merged, where several hold the commit. */
async function requestOf(
  client: GithubClient,
  { owner, repo }: Place,
  { sha }: GithubCommit,
  signal?: AbortSignal,
): Promise<string | null> {
  const route = 'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls'
  const pulls = await client.get({ route, parameters: { owner, repo, commit_sha: sha, per_page: 10 }, schema: pullsSchema, signal })
  const pull = pulls.find(({ merged_at: mergedAt }) => mergedAt) ?? pulls[0]
  return pull ? `#${pull.number}` : null
}

/** The latest run of each workflow, those that did not succeed first. */
async function readRuns(client: GithubClient, { owner, repo }: Place, sha: string, signal?: AbortSignal): Promise<Read<PipelineRun[]>> {
  const { value, limits } = await orNothing('workflow runs', async () => {
    const route = 'GET /repos/{owner}/{repo}/actions/runs'
    return (await client.get({ route, parameters: { owner, repo, head_sha: sha, per_page: 50 }, schema: runsSchema, signal })).workflow_runs
  })
  const latest = new Map((value ?? []).toSorted((a, b) => a.run_number - b.run_number).map((each) => [each.workflow_id, each]))
  const runs = [...latest.values()].map(({ name, status, conclusion, html_url: link }) => ({
    ...{ name: (name ?? 'workflow').slice(0, 200), state: stateOf(status ?? '', conclusion ?? ''), link: link ?? null },
  }))
  return { value: runs.toSorted((a, b) => Number(isGood(a)) - Number(isGood(b))).slice(0, MOST_RUNS), limits }
}

function isGood({ state }: PipelineRun): boolean {
  return state === 'succeeded'
}

function stateOf(status: string, conclusion: string): PipelineRun['state'] {
  if (status !== 'completed') return 'running'
  if (conclusion === 'success') return 'succeeded'
  if (conclusion === 'failure' || conclusion === 'timed_out' || conclusion === 'startup_failure') return 'failed'
  return conclusion === 'cancelled' ? 'cancelled' : 'other'
}

async function orNothing<T>(what: string, ask: () => Promise<T>): Promise<{ value: T | null; limits: string[] }> {
  try {
    return { value: await ask(), limits: [] }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    const words = error.message.replace(`${ID}: `, '').slice(0, 120)
    return { value: null, limits: [`${what} could not be read: ${words}`] }
  }
}
