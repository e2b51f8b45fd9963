import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { differences, type Repository, type StoredCommit } from '../stored-repository.ts'

/** What a token may read of a project. */
export type Scope = 'code' | 'merge_requests' | 'pipelines'
export type Fault = 'slow-down' | 'hang' | 'broken' | 'huge' | 'moved' | 'html' | 'lost'

export interface GitlabServer {
  url: string
  /** By their whole paths. */
  projects: Map<string, Repository>
  tokens: Map<string, readonly Scope[]>
  /** Every request that came, 'GET /api/v4/projects/acme/team/payments'. */
  asked: string[]
  fault(beginning: string, fault: Fault | null): void
  stop(): void
}

interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

/** GitLab's REST API, version 4, for what is read of it: projects by their paths, 404 for what a token may not see, errors as {"message": …}. */
export async function startGitlab(): Promise<GitlabServer> {
  const projects = new Map<string, Repository>()
  const tokens = new Map<string, readonly Scope[]>([['hush', ['code', 'merge_requests', 'pipelines']]])
  const asked: string[] = []
  const faults = new Map<string, Fault>()
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const line = `${request.method} ${decodeURIComponent(url.pathname)}`
    asked.push(line)
    const fault = [...faults].find(([beginning]) => line.startsWith(beginning))?.[1]
    if (fault === 'hang') return
    if (fault === 'lost') return void request.socket.destroy()
    if (fault !== undefined) return send(response, FAULTS[fault])
    const scopes = tokens.get(String(request.headers['private-token'] ?? ''))
    if (!scopes) return send(response, { status: 401, body: { message: '401 Unauthorized' } })
    const [, project = '', rest = ''] = /^\/api\/v4\/projects\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? []
    const repository = projects.get(decodeURIComponent(project))
    if (request.method !== 'GET' || !repository) return send(response, missing('Project'))
    send(response, answerOf(repository, scopes, { project: decodeURIComponent(project), rest, query: url.searchParams }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    projects,
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

const FAULTS: Readonly<Record<Exclude<Fault, 'hang' | 'lost'>, Answer>> = {
  'slow-down': { status: 429, body: 'Retry later', headers: { 'retry-after': '60' } },
  broken: { status: 502, body: 'GitLab is not responding' },
  huge: { status: 200, body: { commits: 'x'.repeat(9 * 1024 * 1024) } },
  moved: { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/users/sign_in' } },
  html: { status: 200, body: '<html>a proxy</html>', headers: { 'content-type': 'text/html' } },
}

function answerOf(
  repository: Repository,
  scopes: readonly Scope[],
  { project, rest, query }: { project: string; rest: string; query: URLSearchParams },
): Answer {
  const denied: Answer = { status: 403, body: { message: '403 Forbidden' } }
  if (rest === '') return { status: 200, body: { id: 1, path_with_namespace: project } }
  if (rest === '/pipelines') return scopes.includes('pipelines') ? pipelines(repository, query) : denied
  if (rest === '/merge_requests') return scopes.includes('merge_requests') ? { status: 200, body: [] } : denied
  if (!scopes.includes('code')) return denied
  if (rest === '/repository/commits') return { status: 200, body: [...repository.commits.values()].slice(0, 1).map(commitJson) }
  if (rest === '/repository/compare') return compare(repository, query)
  const [, ref = '', part] = /^\/repository\/commits\/([^/]+)(\/diff|\/merge_requests)?$/.exec(rest) ?? []
  const found = repository.resolve(decodeURIComponent(ref))
  if (!found) return missing('Commit')
  if (part === undefined) return { status: 200, body: commitJson(found) }
  if (part === '/diff') return { status: 200, body: diffs(repository.commits.get(found.parents[0] ?? '') ?? null, found) }
  if (!scopes.includes('merge_requests')) return denied
  const requests = repository.pulls.filter(({ commits }) => commits.includes(found.sha))
  return {
    status: 200,
    body: requests.map(({ number, mergedAt, state }) => ({ id: number, iid: number, state: mergedAt ? 'merged' : state })),
  }
}

/** From the last commit that both have, as GitLab does unless asked otherwise; commits that only the second has. */
function compare(repository: Repository, query: URLSearchParams): Answer {
  const [from, to] = [repository.resolve(query.get('from') ?? ''), repository.resolve(query.get('to') ?? '')]
  if (!from || !to) return missing('Ref')
  const commits = repository.between(from, to)
  const base = repository.commits.get(commits[0]?.parents[0] ?? '') ?? from
  return {
    status: 200,
    body: {
      ...{ commit: commitJson(to), commits: commits.map(commitJson), diffs: commits.length === 0 ? [] : diffs(base, to) },
      ...{ compare_timeout: false, compare_same_ref: from === to, web_url: 'https://gitlab.example/acme/team/payments/-/compare/x' },
    },
  }
}

function pipelines(repository: Repository, query: URLSearchParams): Answer {
  const found = repository.runs.filter(({ sha }) => !query.has('sha') || sha === query.get('sha'))
  const newestFirst = found.toSorted((a, b) => b.number - a.number)
  return {
    status: 200,
    body: newestFirst.map(({ number, name, conclusion }) => ({
      id: number,
      ref: name,
      status: conclusion,
      web_url: `https://gitlab.example/p/${number}`,
    })),
  }
}

function diffs(before: StoredCommit | null, after: StoredCommit): object[] {
  return differences(before?.files ?? new Map(), after.files).map(({ path, status, patch }) => ({
    ...{ old_path: path, new_path: path, new_file: status === 'added', renamed_file: false, deleted_file: status === 'removed' },
    ...{ a_mode: '100644', b_mode: '100644', diff: `${patch}\n` },
  }))
}

function commitJson({ sha, parents, message, author, at }: StoredCommit): object {
  return {
    ...{ id: sha, short_id: sha.slice(0, 8), title: message.split('\n')[0], message, parent_ids: parents },
    ...{ author_name: author.name, author_email: 'somebody@example.com', authored_date: at, committed_date: at },
    web_url: `https://gitlab.example/acme/team/payments/-/commit/${sha}`,
  }
}

function missing(what: string): Answer {
  return { status: 404, body: { message: `404 ${what} Not Found` } }
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
}
