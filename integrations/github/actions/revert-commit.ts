import { z } from 'zod'
import type { ChangeLine } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { ID } from '../client.ts'
import type { GitReader, TreeEntry } from '../git-objects.ts'
import { demandPath, type Edit, type FileEdit } from './file-edits.ts'
import { createPullRequest, type FindPlace } from './pull-request.ts'
import { REQUESTED } from './requested.ts'

const MOST_FILES = 10
/** As much as a plan has room for. */
const MOST_LINES = 12
const LONGEST_LINE = 190

const definition: ActionDefinition = {
  kind: 'github.revert-commit',
  version: 1,
  description:
    'Opens a pull request that takes one commit back: each file that it changed is as it was before it, where nobody changed it since. At most 10 files; no merge. People merge it.',
  parameters: z.strictObject({
    commit: z.string().regex(/^[0-9a-f]{7,64}$/, 'must be the name of a commit, 7 digits of it at least'),
    base: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be the whole name of a commit'),
  }),
  ...REQUESTED,
}

export function createRevertCommit(find: FindPlace): Action {
  return createPullRequest(find, {
    definition,
    title: ({ commit }) => `Revert ${short(commit)}`,
    slug: ({ commit }) => `revert-${short(commit)}`,
    edit: async (git, base, { commit }) => await revertEdit(git, base, String(commit)),
    manual: ({ commit }) => `git revert --no-edit ${String(commit)}`,
    noDefaults: 'A commit has to be named.',
  })
}

function short(commit: unknown): string {
  return String(commit).slice(0, 8)
}

/** Every file that the commit changed, as it was before. @throws IntegrationError */
async function revertEdit(git: GitReader, baseSha: string, name: string): Promise<Edit> {
  const [commit, base] = await Promise.all([git.resolve(name), git.commit(baseSha)])
  const [parent, ...others] = commit.parents
  if (!parent || others.length > 0) throw refusal(`${short(name)} is a merge, or the first commit: taking it back is left to people`)
  const { status } = await git.ahead(commit.sha, base.sha)
  if (status !== 'ahead' && status !== 'identical') throw refusal(`${short(name)} is not in the branch that is released from`)
  const [before, after, now] = await Promise.all([git.files(await git.commit(parent.sha)), git.files(commit), git.files(base)])
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter((path) => !isSame(before.get(path), after.get(path))).sort()
  if (paths.length === 0) throw refusal(`${short(name)} changes no file`)
  if (paths.length > MOST_FILES)
    throw refusal(`${short(name)} changes ${paths.length} files: more than ${MOST_FILES} are taken back by hand`)
  for (const path of paths) {
    demandPath(path)
    if ([before.get(path), after.get(path)].some((entry) => entry && entry.type !== 'blob'))
      throw refusal(`${path} is no file: taking ${short(name)} back is left to people`)
    if (!isSame(now.get(path), after.get(path))) throw refusal(`${path} was changed after ${short(name)}: taking it back is left to people`)
  }
  const files = paths.map((path): FileEdit => {
    const entry = before.get(path)
    // What goes is named with the mode that it has.
    return { path, mode: (entry ?? after.get(path))?.mode ?? '100644', after: entry?.sha ?? null }
  })
  return { files, lines: await linesOf(git, paths, { from: after, to: before }) }
}

function isSame(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a?.sha === b?.sha && a?.mode === b?.mode
}

type Trees = Readonly<Record<'from' | 'to', ReadonlyMap<string, TreeEntry>>>

/** Each line that changes, where there is room for all of them; else each file, by what git calls its content. */
async function linesOf(git: GitReader, paths: readonly string[], trees: Trees): Promise<ChangeLine[]> {
  const whole = await Promise.all(paths.map((path) => changedLines(git, path, trees)))
  const lines = whole.every((each) => each !== null) ? whole.flat() : null
  if (lines && lines.length <= MOST_LINES && lines.length > 0) return lines
  return paths.map((path) => ({ field: path, from: nameOf(trees.from.get(path)), to: nameOf(trees.to.get(path)) }))
}

function nameOf(entry: TreeEntry | undefined): string {
  return entry ? `content ${entry.sha.slice(0, 12)}, mode ${entry.mode}` : 'no such file'
}

/** From the first line that differs to the last; null where that cannot be shown. */
async function changedLines(git: GitReader, path: string, { from, to }: Trees): Promise<ChangeLine[] | null> {
  const [before, after] = [await textOf(git, path, from.get(path)), await textOf(git, path, to.get(path))]
  if (before === null || after === null) return null
  const [gone, come] = [before.split('\n'), after.split('\n')]
  let start = 0
  while (start < gone.length && start < come.length && gone[start] === come[start]) start += 1
  let end = 0
  while (end < gone.length - start && end < come.length - start && gone.at(-1 - end) === come.at(-1 - end)) end += 1
  const [left, right] = [gone.slice(start, gone.length - end), come.slice(start, come.length - end)]
  const count = Math.max(left.length, right.length)
  // What changes without a line, its mode or that it is there, is shown as a file.
  const [old, restored] = [from.get(path), to.get(path)]
  if (count === 0 || (old && restored && old.mode !== restored.mode)) return null
  if (count > MOST_LINES || [...left, ...right].some((line) => line.length > LONGEST_LINE)) return null
  return Array.from({ length: count }, (_, i) => ({ field: `${path}:${start + i + 1}`, from: left[i] ?? null, to: right[i] ?? null }))
}

/** '' for a file that is not there; null for one that cannot be shown. */
async function textOf(git: GitReader, path: string, entry: TreeEntry | undefined): Promise<string | null> {
  if (!entry) return ''
  if (entry.type !== 'blob' || entry.mode === '120000') return null
  try {
    return await git.text(entry, path)
  } catch (error) {
    if (error instanceof IntegrationError && error.code === 'refused') return null
    throw error
  }
}

function refusal(words: string): IntegrationError {
  return new IntegrationError(ID, 'refused', words)
}
