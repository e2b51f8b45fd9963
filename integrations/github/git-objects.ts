import { createHash } from 'node:crypto'
import { z } from 'zod'
import { IntegrationError } from '../errors.ts'
import { type GithubClient, ID } from './client.ts'
import type { Place } from './compare.ts'

const sha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
const repositorySchema = z.object({ full_name: z.string(), default_branch: z.string().min(1).max(200), archived: z.boolean().catch(false) })
export const refSchema = z.object({ ref: z.string(), object: z.object({ sha }) })
const refsSchema = z.array(refSchema).max(1_000)
export const commitSchema = z.object({ sha, tree: z.object({ sha }), parents: z.array(z.object({ sha })).max(100) })
export type GitCommit = z.output<typeof commitSchema>
const treeSchema = z.object({
  tree: z.array(z.object({ path: z.string(), mode: z.string(), type: z.string(), sha })).max(200_000),
  truncated: z.boolean(),
})
const blobSchema = z.object({ content: z.string(), encoding: z.literal('base64'), size: z.int().min(0) })
export const pullSchema = z.object({
  number: z.int().min(1),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
  html_url: z.string(),
  head: z.object({ ref: z.string() }),
})
export type Pull = z.output<typeof pullSchema>
const pullsSchema = z.array(pullSchema).max(100)
const aheadSchema = z.object({
  status: z.enum(['ahead', 'behind', 'diverged', 'identical']),
  ahead_by: z.int().min(0),
  merge_base_commit: z.object({ sha }),
  files: z
    .array(z.object({ filename: z.string(), previous_filename: z.string().optional() }))
    .max(300)
    .default([]),
})
export type Ahead = z.output<typeof aheadSchema>

/** A file of a commit: what it holds is named by `sha`. */
export interface TreeEntry {
  mode: string
  type: string
  sha: string
}

/** One repository as git keeps it, read. Every call throws IntegrationError where it gets no sound answer. */
export interface GitReader {
  about(): Promise<{ repository: string; branch: string; isArchived: boolean }>
  /** The commit that a branch stands at; null for a branch that is not there. */
  headOf(branch: string): Promise<string | null>
  /** Branches whose names begin so. */
  branches(beginning: string): Promise<string[]>
  commit(sha: string): Promise<GitCommit>
  /** A commit by what people write of it: the beginning of its name. */
  resolve(short: string): Promise<GitCommit>
  /** Every file of a commit by its path. */
  files(commit: GitCommit): Promise<ReadonlyMap<string, TreeEntry>>
  /** What a file holds, as text. @throws IntegrationError, 'refused' where it is large, or no text */
  text(entry: TreeEntry, path: string): Promise<string>
  /** What the second has beside the first. */
  ahead(base: string, head: string): Promise<Ahead>
  /** Of one branch, the newest first, whatever became of them. */
  pullsOf(branch: string): Promise<Pull[]>
}

const MOST_TEXT = 256 * 1024

export function createGitReader(client: GithubClient, place: Place, signal?: AbortSignal): GitReader {
  const get = async <T>(route: string, parameters: Record<string, unknown>, schema: z.ZodType<T>): Promise<T> =>
    await client.get({ route: `GET /repos/{owner}/{repo}${route}`, parameters: { ...place, ...parameters }, schema, signal })
  const commit = async (name: string): Promise<GitCommit> => await get('/git/commits/{commit_sha}', { commit_sha: name }, commitSchema)
  return {
    async about() {
      const { full_name: repository, default_branch: branch, archived } = await get('', {}, repositorySchema)
      return { repository, branch, isArchived: archived }
    },
    async headOf(branch) {
      const found = await get('/git/matching-refs/{ref}', { ref: `heads/${branch}` }, refsSchema)
      return found.find(({ ref }) => ref === `refs/heads/${branch}`)?.object.sha ?? null
    },
    async branches(beginning) {
      const found = await get('/git/matching-refs/{ref}', { ref: `heads/${beginning}` }, refsSchema)
      return found.map(({ ref }) => ref.replace('refs/heads/', ''))
    },
    commit,
    async resolve(short) {
      const found = await get('/commits/{ref}', { ref: short, per_page: 1 }, z.object({ sha }))
      // A tag or a branch may be called like the beginning of a commit.
      if (!found.sha.startsWith(short)) throw new IntegrationError(ID, 'refused', `${short} is the name of something else than a commit`)
      return await commit(found.sha)
    },
    async files({ tree }) {
      const found = await get('/git/trees/{tree_sha}', { tree_sha: tree.sha, recursive: '1' }, treeSchema)
      if (found.truncated) throw new IntegrationError(ID, 'refused', 'the repository has more files than are read: this is done by hand')
      return new Map(found.tree.filter(({ type }) => type !== 'tree').map(({ path, ...entry }) => [path, entry]))
    },
    async text({ sha: file }, path) {
      const { content, size } = await get('/git/blobs/{file_sha}', { file_sha: file }, blobSchema)
      const bytes = Buffer.from(content, 'base64')
      const text = bytes.toString('utf8')
      if (size > MOST_TEXT || !Buffer.from(text, 'utf8').equals(bytes) || text.includes('\0'))
        throw new IntegrationError(ID, 'refused', `${path} is no text, or larger than ${MOST_TEXT / 1024} KiB`)
      return text
    },
    ahead: (base, head) => get('/compare/{basehead}', { basehead: `${base}...${head}`, per_page: 1 }, aheadSchema),
    pullsOf: (branch) => get('/pulls', { head: `${place.owner}:${branch}`, state: 'all', per_page: 10 }, pullsSchema),
  }
}

/** What git calls a file that holds this text. */
export function blobSha(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
