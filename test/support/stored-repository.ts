import { createHash } from 'node:crypto'

/** A commit as the repository keeps it: every file's whole text, by its path. */
export interface StoredCommit {
  sha: string
  parents: readonly string[]
  message: string
  author: { name: string; login: string | null }
  at: string
  files: ReadonlyMap<string, string>
}

export interface StoredPull {
  number: number
  title: string
  body: string
  head: string
  base: string
  state: 'open' | 'closed'
  mergedAt: string | null
  /** Commits that came in by it. */
  commits: readonly string[]
}

export interface StoredRun {
  workflow: number
  number: number
  name: string
  sha: string
  status: string
  conclusion: string | null
}

/** What a hosting service keeps of one repository, with what git makes of it. */
export interface Repository {
  commits: Map<string, StoredCommit>
  /** 'heads/main', 'tags/v41'. */
  refs: Map<string, string>
  pulls: StoredPull[]
  runs: StoredRun[]
  /** Trees that were made and are in no commit yet, by their names. */
  trees: Map<string, ReadonlyMap<string, string>>
  isArchived: boolean
  /** A commit of whole files that no branch holds. */
  store(made: {
    parents: readonly string[]
    message: string
    files: ReadonlyMap<string, string>
    author?: StoredCommit['author']
  }): StoredCommit
  /** A commit on a branch, by what changes: a text, or null for a file that goes. */
  commit(branch: string, message: string, changes: Record<string, string | null>, said?: { author?: string; login?: string | null }): string
  tag(name: string, sha: string): void
  /** A commit of a branch, a tag, or the beginning of its sha. */
  resolve(ref: string): StoredCommit | null
  /** Commits that the second can reach and the first cannot, the oldest first. */
  between(base: StoredCommit, head: StoredCommit): StoredCommit[]
}

export interface ChangedFile {
  path: string
  status: 'added' | 'removed' | 'modified'
  additions: number
  deletions: number
  patch: string
}

const START = Date.parse('2026-03-01T09:00:00.000Z')

export function createRepository(): Repository {
  const commits = new Map<string, StoredCommit>()
  const refs = new Map<string, string>()
  const resolve = (ref: string): StoredCommit | null => {
    const named = refs.get(`heads/${ref}`) ?? refs.get(`tags/${ref}`)
    const found = named ?? (/^[0-9a-f]{7,40}$/.test(ref) ? [...commits.keys()].find((sha) => sha.startsWith(ref)) : undefined)
    return commits.get(found ?? '') ?? null
  }
  const reachable = (from: StoredCommit): Set<string> => {
    const seen = new Set<string>()
    const todo = [from.sha]
    for (let sha = todo.pop(); sha !== undefined; sha = todo.pop()) {
      if (seen.has(sha)) continue
      seen.add(sha)
      todo.push(...(commits.get(sha)?.parents ?? []))
    }
    return seen
  }
  const store: Repository['store'] = ({ parents, message, files, author = { name: 'Anna', login: 'anna' } }) => {
    const at = new Date(START + commits.size * 60_000).toISOString()
    const sha = shaOf(JSON.stringify([parents, message, at, [...files]]))
    const made = { sha, parents, message, author, at, files }
    commits.set(sha, made)
    return made
  }
  return {
    commits,
    refs,
    pulls: [],
    runs: [],
    trees: new Map(),
    isArchived: false,
    store,
    commit(branch, message, changes, { author = 'Anna', login = 'anna' } = {}) {
      const parent = resolve(branch)
      const files = new Map(parent?.files ?? [])
      for (const [path, text] of Object.entries(changes)) {
        if (text === null) files.delete(path)
        else files.set(path, text)
      }
      const { sha } = store({ parents: parent ? [parent.sha] : [], message, files, author: { name: author, login } })
      refs.set(`heads/${branch}`, sha)
      return sha
    },
    tag: (name, sha) => void refs.set(`tags/${name}`, sha),
    resolve,
    between(base, head) {
      const [known, wanted] = [reachable(base), reachable(head)]
      return [...commits.values()].filter(({ sha }) => wanted.has(sha) && !known.has(sha))
    },
  }
}

export function shaOf(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

/** As git names what a file holds. */
export function blobOf(text: string): string {
  return shaOf(`blob ${Buffer.byteLength(text)}\0${text}`)
}

export function treeOf(files: ReadonlyMap<string, string>): string {
  return shaOf(JSON.stringify([...files].sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** What differs between two trees. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): ChangedFile[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths.flatMap((path) => {
    const [from, to] = [before.get(path), after.get(path)]
    if (from === to) return []
    const { patch, additions, deletions } = patchOf(from ?? '', to ?? '')
    return [
      {
        path,
        status: from === undefined ? ('added' as const) : to === undefined ? ('removed' as const) : ('modified' as const),
        additions,
        deletions,
        patch,
      },
    ]
  })
}

/** One hunk from the first line that differs to the last. */
function patchOf(before: string, after: string): Pick<ChangedFile, 'patch' | 'additions' | 'deletions'> {
  const [from, to] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1
  let end = 0
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end += 1
  const [gone, come] = [from.slice(start, from.length - end), to.slice(start, to.length - end)]
  const head = `@@ -${start + 1},${gone.length} +${start + 1},${come.length} @@`
  return {
    patch: [head, ...gone.map((line) => `-${line}`), ...come.map((line) => `+${line}`)].join('\n'),
    ...{ additions: come.length, deletions: gone.length },
  }
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}
