import { blobOf, type Repository, type StoredCommit, treeOf } from '../stored-repository.ts'
import { type Answer, type Endpoint, pullJson, refusal } from './server.ts'

/** Git's own objects by GitHub's API, and pull requests as they are made and closed. */
export const GIT_ENDPOINTS: readonly Endpoint[] = [
  {
    ...{ method: 'GET', path: /^\/git\/matching-refs\/(.+)$/, right: 'contents:read' },
    answer: ({ repository }, [beginning = '']) => {
      const found = [...repository.refs].filter(([name]) => name.startsWith(beginning))
      return { status: 200, body: found.map(([name, sha]) => refJson(name, sha)) }
    },
  },
  {
    ...{ method: 'GET', path: /^\/git\/commits\/(.+)$/, right: 'contents:read' },
    answer: ({ repository }, [sha = '']) => ofCommit(repository.commits.get(sha)),
  },
  {
    ...{ method: 'GET', path: /^\/git\/trees\/(.+)$/, right: 'contents:read' },
    answer: ({ repository }, [sha = '']) => {
      const files = treeNamed(repository, sha)
      if (!files) return refusal(404, 'Not Found')
      const folders = new Set([...files.keys()].flatMap((path) => (path.includes('/') ? [path.split('/')[0] ?? ''] : [])))
      const tree = [
        ...[...folders].map((path) => ({ path, mode: '040000', type: 'tree', sha: treeOf(new Map([[path, '']])) })),
        ...[...files].map(([path, text]) => ({ path, mode: '100644', type: 'blob', sha: blobOf(text), size: text.length })),
      ]
      return { status: 200, body: { sha, tree, truncated: false } }
    },
  },
  {
    ...{ method: 'GET', path: /^\/git\/blobs\/(.+)$/, right: 'contents:read' },
    answer: ({ repository }, [sha = '']) => {
      const text = blobNamed(repository, sha)
      if (text === null) return refusal(404, 'Not Found')
      const content = Buffer.from(text).toString('base64').replace(/.{60}/g, '$&\n')
      return { status: 200, body: { sha, size: Buffer.byteLength(text), encoding: 'base64', content } }
    },
  },
  { method: 'POST', path: /^\/git\/trees$/, right: 'contents:write', answer: ({ repository, body }) => makeTree(repository, body) },
  {
    ...{ method: 'POST', path: /^\/git\/commits$/, right: 'contents:write' },
    answer: ({ repository, body }) => {
      const files = treeNamed(repository, String(body['tree']))
      if (!files) return refusal(422, 'Tree SHA does not exist')
      const made = repository.store({ parents: body['parents'] as string[], message: String(body['message']), files })
      return { status: 201, body: commitJson(made) }
    },
  },
  {
    ...{ method: 'POST', path: /^\/git\/refs$/, right: 'contents:write' },
    answer: ({ repository, body }) => {
      const [name, sha] = [String(body['ref']).replace(/^refs\//, ''), String(body['sha'])]
      if (repository.refs.has(name)) return refusal(422, 'Reference already exists')
      if (!repository.commits.has(sha)) return refusal(422, 'Object does not exist')
      repository.refs.set(name, sha)
      return { status: 201, body: refJson(name, sha) }
    },
  },
  {
    ...{ method: 'DELETE', path: /^\/git\/refs\/(.+)$/, right: 'contents:write' },
    answer: ({ repository }, [name = '']) =>
      repository.refs.delete(name) ? { status: 204, body: '' } : refusal(422, 'Reference does not exist'),
  },
  {
    ...{ method: 'POST', path: /^\/pulls$/, right: 'pull_requests:write' },
    answer: ({ repository, body, owner }) => {
      const [head, base] = [String(body['head']), String(body['base'])]
      const sha = repository.refs.get(`heads/${head}`)
      if (sha === undefined || !repository.refs.has(`heads/${base}`)) return refusal(422, 'Validation Failed')
      if (repository.pulls.some((each) => each.head === head && each.state === 'open'))
        return refusal(422, `A pull request already exists for ${owner}:${head}.`)
      const said = { title: String(body['title']), body: String(body['body']), head, base }
      const made = { number: repository.pulls.length + 100, ...said, state: 'open' as const, mergedAt: null, commits: [sha] }
      repository.pulls.unshift(made)
      return { status: 201, body: pullJson(made) }
    },
  },
  {
    ...{ method: 'PATCH', path: /^\/pulls\/(\d+)$/, right: 'pull_requests:write' },
    answer: ({ repository, body }, [number = '']) => {
      const found = repository.pulls.find((each) => each.number === Number(number))
      if (!found) return refusal(404, 'Not Found')
      if (body['state'] === 'closed') found.state = 'closed'
      return { status: 200, body: pullJson(found) }
    },
  },
]

function makeTree(repository: Repository, body: Record<string, unknown>): Answer {
  const files = new Map(treeNamed(repository, String(body['base_tree'])))
  for (const entry of body['tree'] as { path: string; sha?: string | null; content?: string }[]) {
    const text = entry.content ?? (entry.sha ? blobNamed(repository, entry.sha) : null)
    if (text === null && entry.sha !== null) return refusal(422, `tree.sha ${entry.sha} is not a valid blob`)
    if (text === null) files.delete(entry.path)
    else files.set(entry.path, text)
  }
  repository.trees.set(treeOf(files), files)
  return { status: 201, body: { sha: treeOf(files), tree: [], truncated: false } }
}

function treeNamed(repository: Repository, sha: string): ReadonlyMap<string, string> | null {
  const ofCommits = [...repository.commits.values()].find(({ files }) => treeOf(files) === sha)
  return ofCommits?.files ?? repository.trees.get(sha) ?? null
}

function blobNamed(repository: Repository, sha: string): string | null {
  const texts = [...repository.commits.values()].flatMap(({ files }) => [...files.values()])
  return texts.find((text) => blobOf(text) === sha) ?? null
}

function ofCommit(commit: StoredCommit | undefined): Answer {
  return commit ? { status: 200, body: commitJson(commit) } : refusal(404, 'Not Found')
}

function commitJson({ sha, parents, message, files }: StoredCommit): object {
  return { sha, message, tree: { sha: treeOf(files) }, parents: parents.map((each) => ({ sha: each })) }
}

function refJson(name: string, sha: string): object {
  return { ref: `refs/${name}`, object: { type: 'commit', sha } }
}
