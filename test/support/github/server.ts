import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { differences, type Repository, type StoredCommit, type StoredPull, shaOf, treeOf } from '../stored-repository.ts'
import { GIT_ENDPOINTS } from './git-endpoints.ts'

/** What a token may do, as GitHub calls it for fine-grained tokens. */
export type Right = 'contents:read' | 'contents:write' | 'pull_requests:read' | 'pull_requests:write' | 'actions:read'
export const READS: readonly Right[] = ['contents:read', 'pull_requests:read', 'actions:read']

/** What becomes of a request in place of its answer. `hang`: nothing ever comes; `reply-lost`: it is carried out and nothing is told. */
export type Fault = 'rate-limited' | 'slow-down' | 'hang' | 'broken' | 'huge' | 'moved' | 'html' | 'reply-lost' | 'lost'

export interface GithubServer {
  url: string
  repositories: Map<string, Repository>
  tokens: Map<string, readonly Right[]>
  /** Every request that came, 'GET /repos/acme/payments'. */
  asked: string[]
  /** From now on, for requests whose line begins with this; null ends it. */
  fault(beginning: string, fault: Fault | null): void
  stop(): void
}

export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

export interface Asked {
  method: string
  query: URLSearchParams
  body: Record<string, unknown>
  owner: string
  repository: Repository
}

export type Endpoint = { method: string; path: RegExp; right: Right | null; answer(asked: Asked, parts: readonly string[]): Answer }

/** GitHub's REST API, version 2022-11-28, as its description says, for what is used of it: one token per client, errors with a message and a link. */
export async function startGithub(): Promise<GithubServer> {
  const repositories = new Map<string, Repository>()
  const tokens = new Map<string, readonly Right[]>([['hush', READS]])
  const asked: string[] = []
  const faults = new Map<string, Fault>()
  const server = createServer(async (request, response) => {
    const [method, url] = [request.method ?? '', new URL(request.url ?? '', 'http://127.0.0.1')]
    const line = `${method} ${decodeURIComponent(url.pathname)}`
    asked.push(line)
    const body = await bodyOf(request)
    const fault = [...faults].find(([beginning]) => line.startsWith(beginning))?.[1]
    if (fault === 'hang') return
    if (fault === 'lost') return void request.socket.destroy()
    if (fault !== undefined && fault !== 'reply-lost') return send(response, FAULTS[fault](url.pathname))
    const answer = answerOf({ repositories, tokens }, request, { method, url, body })
    if (fault === 'reply-lost') return void request.socket.destroy()
    send(response, answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    repositories,
    tokens,
    asked,
    fault(beginning, fault) {
      if (fault === null) faults.delete(beginning)
      else faults.set(beginning, fault)
    },
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const DOCS = 'https://docs.github.com/rest'
const FAULTS: Readonly<Record<Exclude<Fault, 'hang' | 'lost' | 'reply-lost'>, (path: string) => Answer>> = {
  'rate-limited': () => ({
    ...refusal(403, 'API rate limit exceeded for user ID 1.'),
    headers: { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1772359200' },
  }),
  'slow-down': () => ({ ...refusal(429, 'You have exceeded a secondary rate limit.'), headers: { 'retry-after': '60' } }),
  broken: () => ({ status: 502, body: { message: 'Server Error' } }),
  huge: () => ({ status: 200, body: { files: 'x'.repeat(9 * 1024 * 1024) } }),
  moved: (path) => ({ ...refusal(301, 'Moved Permanently'), headers: { location: `http://127.0.0.1:9${path}` } }),
  html: () => ({ status: 200, body: '<html>a proxy</html>', headers: { 'content-type': 'text/html' } }),
}

function answerOf(
  { repositories, tokens }: Pick<GithubServer, 'repositories' | 'tokens'>,
  request: IncomingMessage,
  { method, url, body }: { method: string; url: URL; body: Record<string, unknown> },
): Answer {
  const token = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const rights = tokens.get(token ?? '')
  if (!rights) return refusal(401, 'Bad credentials')
  const [, owner = '', name = '', rest = ''] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? []
  const repository = repositories.get(`${owner}/${name}`)
  if (!repository) return refusal(404, 'Not Found')
  if (rest === '')
    return { status: 200, body: { full_name: `${owner}/${name}`, private: true, default_branch: 'main', archived: repository.isArchived } }
  for (const endpoint of [...GIT_ENDPOINTS, ...ENDPOINTS]) {
    const found = endpoint.method === method ? endpoint.path.exec(rest) : null
    if (!found) continue
    if (endpoint.right !== null && !rights.includes(endpoint.right)) return refusal(403, 'Resource not accessible by personal access token')
    return endpoint.answer({ method, query: url.searchParams, body, owner, repository }, found.slice(1).map(decodeURIComponent))
  }
  return refusal(404, 'Not Found')
}

const ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'GET',
    path: /^\/commits$/,
    right: 'contents:read',
    answer: ({ repository }) => ({ status: 200, body: [...repository.commits.values()].slice(0, 1).map(commitJson) }),
  },
  {
    ...{ method: 'GET', path: /^\/commits\/([0-9a-f]+)\/pulls$/, right: 'pull_requests:read' },
    answer: ({ repository }, [sha = '']) => ({
      status: 200,
      body: repository.pulls.filter(({ commits }) => commits.includes(sha)).map(pullJson),
    }),
  },
  { method: 'GET', path: /^\/commits\/(.+)$/, right: 'contents:read', answer: ({ repository }, [ref = '']) => commit(repository, ref) },
  { method: 'GET', path: /^\/compare\/(.+)$/, right: 'contents:read', answer: compare },
  {
    ...{ method: 'GET', path: /^\/actions\/runs$/, right: 'actions:read' },
    answer: ({ repository, query }) => ({
      status: 200,
      body: {
        total_count: 1,
        workflow_runs: repository.runs.filter(({ sha }) => sha === query.get('head_sha') || !query.has('head_sha')).map(runJson),
      },
    }),
  },
  { method: 'GET', path: /^\/pulls$/, right: 'pull_requests:read', answer: pulls },
]

function compare({ repository, query }: Asked, [basehead = '']: readonly string[]): Answer {
  const [base = '', head = ''] = basehead.split('...')
  const [from, to] = [repository.resolve(base), repository.resolve(head)]
  if (!from || !to) return refusal(404, 'Not Found')
  const [ahead, behind] = [repository.between(from, to), repository.between(to, from)]
  const common = behind.length === 0 ? from : (repository.commits.get(behind[0]?.parents[0] ?? '') ?? from)
  const [size, page] = [Number(query.get('per_page') ?? 250), Number(query.get('page') ?? 1)]
  const status = ahead.length === 0 ? (behind.length === 0 ? 'identical' : 'behind') : behind.length === 0 ? 'ahead' : 'diverged'
  return {
    status: 200,
    body: {
      ...{
        html_url: `https://github.com/acme/payments/compare/${base}...${head}`,
        status,
        merge_base_commit: { sha: common.sha },
        ahead_by: ahead.length,
        behind_by: behind.length,
      },
      ...{ total_commits: ahead.length, commits: ahead.slice((page - 1) * size, page * size).map(commitJson) },
      ...(page === 1 ? { files: ahead.length === 0 ? [] : differences(common.files, to.files).slice(0, 300).map(fileJson) } : {}),
    },
  }
}

function commit(repository: Repository, ref: string): Answer {
  const found = repository.resolve(ref)
  if (!found) return refusal(422, `No commit found for SHA: ${ref}`)
  const parent = repository.commits.get(found.parents[0] ?? '')
  return { status: 200, body: { ...commitJson(found), files: differences(parent?.files ?? new Map(), found.files).map(fileJson) } }
}

function pulls({ repository, query, owner }: Asked): Answer {
  const [head, state] = [query.get('head'), query.get('state') ?? 'open']
  const found = repository.pulls.filter(
    (each) => (head === null || head === `${owner}:${each.head}`) && (state === 'all' || each.state === state),
  )
  return { status: 200, body: found.map(pullJson) }
}

function commitJson({ sha, parents, message, author, at, files }: StoredCommit): object {
  return {
    ...{ sha, html_url: `https://github.com/acme/payments/commit/${sha}`, parents: parents.map((each) => ({ sha: each })) },
    commit: {
      ...{ message, tree: { sha: treeOf(files) } },
      author: { name: author.name, email: 'somebody@example.com', date: at },
      committer: { name: 'GitHub', email: 'noreply@github.com', date: at },
    },
    author: author.login === null ? null : { login: author.login, id: 1 },
  }
}

function fileJson({ path, status, additions, deletions, patch }: ReturnType<typeof differences>[number]): object {
  return {
    sha: shaOf(patch),
    filename: path,
    status,
    additions,
    deletions,
    changes: additions + deletions,
    ...(patch.length > 100_000 ? {} : { patch }),
  }
}

export function pullJson({ number, title, body, head, base, state, mergedAt }: StoredPull): object {
  return {
    ...{ number, title, body, state, merged_at: mergedAt, html_url: `https://github.com/acme/payments/pull/${number}` },
    ...{ head: { ref: head }, base: { ref: base } },
  }
}

function runJson({ workflow, number, name, sha, status, conclusion }: Repository['runs'][number]): object {
  return {
    ...{ id: number * 1_000, workflow_id: workflow, run_number: number, name, head_sha: sha, status, conclusion },
    html_url: `https://github.com/acme/payments/actions/runs/${number}`,
  }
}

export function refusal(status: number, message: string): Answer {
  return { status, body: { message, documentation_url: DOCS, status: String(status) } }
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'x-ratelimit-remaining': '4999', ...headers }).end(text)
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text === '' ? {} : JSON.parse(text)
}
