import { z } from 'zod'
import type { SuccessContract, Target } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Sent } from '../../http.ts'
import type { Action, ActionDefinition, EffectResult, Parameters, Step } from '../../ports/action.ts'
import { type GithubClient, ID } from '../client.ts'
import type { Place } from '../compare.ts'
import {
  type Ahead,
  commitSchema,
  createGitReader,
  type GitCommit,
  type GitReader,
  pullSchema,
  refSchema,
  type TreeEntry,
} from '../git-objects.ts'
import { demandPath, type Edit, type FileEdit } from './file-edits.ts'

/** Where a service's repository is, and how it is spoken to. */
export interface ActingPlace {
  client: GithubClient
  repository: string
}

/** Null for a service whose repository is not named, or where this is not allowed. */
export type FindPlace = (where: Pick<Target, 'environment' | 'name'>, kind: string) => ActingPlace | null

/** What differs between the actions that end in a pull request. */
export interface RequestKind {
  definition: ActionDefinition
  /** After "Open a pull request at acme/payments: ". */
  title(parameters: Parameters): string
  /** The same change has the same name; a part of a branch's name. */
  slug(parameters: Parameters): string
  /** The change of the files of a base commit. @throws IntegrationError, 'refused' where it is left to people */
  edit(git: GitReader, base: string, parameters: Parameters): Promise<Edit>
  /** What a person would type in a clone of the repository, on a branch of its own, before `git push` and `gh pr create`. */
  manual(parameters: Parameters): string
  noDefaults: string
}

const OWN = 'steadyhand/'
const LONGEST_TITLE = 190
/** Of what changed since the base: GitHub lists no more. */
const MOST_LISTED = 300
const treeSchema = z.object({ sha: z.string() })

/**
 * An action that puts a change on a branch of its own and opens a pull request for it. It writes to no branch that was there before, and merges
 * nothing. The branch is named after the plan, so that a second call finds what the first one made.
 */
export function createPullRequest(find: FindPlace, kind: RequestKind): Action {
  const { definition } = kind
  const placeOf = (target: Pick<Target, 'environment' | 'name'>): ActingPlace => {
    const place = find(target, definition.kind)
    if (!place) throw new Error(`no pull request is opened for ${target.name} of ${target.environment}`)
    return place
  }
  const open = (target: Target, signal?: AbortSignal) => {
    const { client, repository } = placeOf(target)
    const place = partsOf(repository)
    return { client, repository, place, git: createGitReader(client, place, signal) }
  }
  return {
    definition,
    outlastsIncident: true,
    title: ({ uid }, parameters) => {
      const title = isUndo(parameters)
        ? `Close the pull request at ${uid}: ${kind.title(parameters)}`
        : `Open a pull request at ${uid}: ${kind.title(parameters)}`
      return title.length <= LONGEST_TITLE ? title : `${title.slice(0, LONGEST_TITLE - 3).toWellFormed()}...`
    },
    // What a durable change should be is a person's idea.
    suggest: async () => null,
    async observe(where, signal) {
      const found = find(where, definition.kind)
      if (!found) return null
      const { repository, branch, isArchived } = await createGitReader(found.client, partsOf(found.repository), signal).about()
      if (isArchived) throw new IntegrationError(ID, 'refused', `${repository} is archived: nothing can be changed there`)
      const target = { provider: ID, environment: where.environment, kind: 'Repository', name: where.name, uid: found.repository }
      return { target, preconditions: pinned(found.repository, branch), replicas: 0 }
    },
    async dryRun(step, signal) {
      const { git, repository } = open(step.target, signal)
      if (isUndo(step.parameters)) {
        const { head, pull } = await madeBy(git, branchOf(kind, step))
        if (pull?.merged_at) throw new IntegrationError(ID, 'refused', `pull request #${pull.number} was merged meanwhile`)
        if (head === null && pull?.state !== 'open') throw new IntegrationError(ID, 'refused', 'it is closed already')
        const { lines } = await kind.edit(git, baseOf(step), step.parameters)
        return {
          changes: lines.map(({ field, from, to }) => ({ field, from: to, to: from })),
          downtime: 'none: the pull request is closed',
        }
      }
      const { lines } = await editOf(kind, git, step)
      return {
        changes: [...lines],
        downtime: `none: nothing that runs changes before somebody merges it at ${repository}`.slice(0, 200),
        cautions: ['People merge it, or do not: Steadyhand does not.', `Opening it starts what ${repository} runs for pull requests.`],
      }
    },
    success: (step) => ({
      ...contractOf(kind, step, `open, one commit on ${baseOf(step).slice(0, 8)}`),
      weaker: 'It changes nothing that runs: only that the pull request is open, with this one commit, is checked.',
      heals: false,
    }),
    probeWords: 'a branch named after the plan is there, or a pull request from it',
    undo: (step, { preconditions }) => ({
      parameters: { ...step.parameters, plan: step.planId },
      preconditions,
      success: {
        ...contractOf(kind, step, 'none'),
        weaker: 'An undo closes it: only that no branch and no open pull request is left is checked.',
      },
    }),
    async effect(step, executionId, signal) {
      const opened = open(step.target, signal)
      return isUndo(step.parameters) ? await takeBack(kind, opened, step, signal) : await make(kind, opened, step, executionId, signal)
    },
    async probe(step, _executionId, signal) {
      const { head, pull } = await madeBy(open(step.target, signal).git, branchOf(kind, step))
      const isThere = head !== null || pull?.state === 'open'
      if (isUndo(step.parameters)) return isThere ? 'not-applied' : 'applied'
      return isThere || pull !== null ? 'applied' : 'not-applied'
    },
    async readState(target, fields, signal) {
      const { git } = open(target, signal)
      const known = await git.about()
      const read = fields.map(async (field) => {
        if (field === 'uid') return [field, target.uid] as const
        if (field === 'branch') return [field, known.branch] as const
        return [field, await standingOf(git, field.replace(FIELD, ''))] as const
      })
      return Object.fromEntries(await Promise.all(read))
    },
    async standing(step, signal) {
      const { git, repository } = open(step.target, signal)
      const { pull } = await madeBy(git, branchOf(kind, step))
      const name = `Pull request #${pull?.number ?? '?'} at ${repository} (${kind.title(step.parameters)})`
      if (pull?.merged_at) return { isOver: true, words: `${name} was merged. What it changes takes effect as it is usually deployed.` }
      return { isOver: pull?.state === 'closed', words: `${name} ${pull?.state === 'closed' ? 'was closed, and not merged' : 'is open'}.` }
    },
    byHand: {
      async defaults(where) {
        const found = find(where, definition.kind)
        const git = found && createGitReader(found.client, partsOf(found.repository))
        const head = await git?.headOf((await git.about()).branch)
        return head ? { base: head } : null
      },
      noDefaults: kind.noDefaults,
      command: ({ target, parameters }) => {
        const base = String(parameters['base']).slice(0, 12)
        return `git switch -c my-fix ${base} && ${kind.manual(parameters)} && git push -u origin my-fix && gh pr create --fill --repo ${inShell(target.uid)}`
      },
    },
  }
}

const FIELD = 'pull request from '

function contractOf(kind: RequestKind, step: Step, equals: string): Omit<SuccessContract, 'weaker'> {
  const state = [{ field: `${FIELD}${branchOf(kind, step)}`, equals }]
  return { metrics: [], state, settleSeconds: 0, holdSeconds: 3, withinSeconds: 60, minSamples: 2 }
}

function pinned(repository: string, branch: string): Step['preconditions'] {
  return [
    { field: 'uid', equals: repository },
    { field: 'branch', equals: branch },
  ]
}

/** The step of an undo: it takes back what the plan that it names made. */
function isUndo(parameters: Parameters): boolean {
  return typeof parameters['plan'] === 'string'
}

/** After the plan: an undo names the one that it takes back. */
function branchOf(kind: RequestKind, { planId, parameters }: Pick<Step, 'planId' | 'parameters'>): string {
  return `${OWN}${kind.slug(parameters)}-${isUndo(parameters) ? String(parameters['plan']) : planId}`
}

function baseOf({ parameters }: Pick<Step, 'parameters'>): string {
  return String(parameters['base'])
}

function partsOf(repository: string): Place {
  const [owner = '', repo = ''] = repository.split('/')
  return { owner, repo }
}

/** The branch of a plan and its pull request, as far as they are there. */
async function madeBy(git: GitReader, branch: string) {
  const [head, pulls] = await Promise.all([git.headOf(branch), git.pullsOf(branch)])
  return { head, pull: pulls[0] ?? null }
}

/** How the pull request from a branch stands: a field of contracts. */
async function standingOf(git: GitReader, branch: string): Promise<string> {
  const { head, pull } = await madeBy(git, branch)
  if (pull?.merged_at) return 'merged'
  if (pull?.state !== 'open') return head === null ? 'none' : 'a branch without a pull request'
  if (head === null) return 'open, without its branch'
  const { branch: main } = await git.about()
  const { ahead_by: commits, merge_base_commit: base } = await git.ahead(main, head)
  return `open, ${commits === 1 ? 'one commit' : `${commits} commits`} on ${base.sha.slice(0, 8)}`
}

/** The change of the step, where nothing stands against it now. @throws IntegrationError */
async function editOf(kind: RequestKind, git: GitReader, step: Step): Promise<Edit> {
  const [base, own] = [baseOf(step), branchOf(kind, step)]
  const { branch } = await git.about()
  const [edit, since, same] = await Promise.all([
    kind.edit(git, base, step.parameters),
    git.ahead(base, branch),
    git.branches(`${OWN}${kind.slug(step.parameters)}-`),
  ])
  for (const { path } of edit.files) demandPath(path)
  const objection = objectionOfBranch(edit, since, branch)
  if (objection !== null) throw new IntegrationError(ID, 'refused', objection)
  for (const other of same.filter((each) => each !== own)) {
    const found = (await git.pullsOf(other)).find(({ state }) => state === 'open')
    if (found) throw new IntegrationError(ID, 'refused', `pull request #${found.number} does the same already, and is open`)
  }
  return edit
}

/** The default branch may have gone on since the plan was made, but not in these files. */
function objectionOfBranch({ files }: Edit, { status, files: changed }: Ahead, branch: string): string | null {
  if (status !== 'ahead' && status !== 'identical') return `${branch} does not hold the commit that this starts from`
  if (changed.length >= MOST_LISTED) return `too much of ${branch} has changed since`
  const touched = new Set(
    changed.flatMap(({ filename, previous_filename: before }) => [filename, ...(before === undefined ? [] : [before])]),
  )
  const stale = files.find(({ path }) => touched.has(path))
  return stale ? `${stale.path} of ${branch} has changed since` : null
}

type Opened = { client: GithubClient; repository: string; place: Place; git: GitReader }

/** Everything that git needs is made first and belongs to nobody; the branch makes it visible, whole, and the pull request follows. */
async function make(kind: RequestKind, opened: Opened, step: Step, executionId: string, signal: AbortSignal): Promise<EffectResult> {
  const { client, place } = opened
  const branch = branchOf(kind, step)
  let prepared: Prepared
  try {
    prepared = await prepare(kind, opened, step, executionId)
  } catch (error) {
    // What no branch holds is seen by nobody, so that whatever goes wrong until here is a refusal.
    if (error instanceof IntegrationError) return refused(error, 'nothing was made: ')
    throw error
  }
  if (prepared.isOpen) return { result: 'applied' }
  if (!prepared.hasBranch) {
    const parameters = { ...place, ref: `refs/heads/${branch}`, sha: prepared.commit }
    signal.throwIfAborted()
    const ref = await client.send({ route: 'POST /repos/{owner}/{repo}/git/refs', parameters, schema: refSchema, signal })
    if (!ref.done) return endOf(ref.status, ref.error)
  }
  const said = { title: kind.title(step.parameters).slice(0, LONGEST_TITLE), body: bodyOf(step, executionId) }
  const parameters = { ...place, ...said, head: branch, base: prepared.into }
  const pull = await client.send({ route: 'POST /repos/{owner}/{repo}/pulls', parameters, schema: pullSchema, signal })
  if (pull.done) return { result: 'applied' }
  if (pull.status >= 500 || pull.status === 408) return { result: 'unknown', words: pull.error.message }
  // A branch without a request would be left for somebody to wonder about.
  const isGone = await deleteBranch(client, place, branch)
  return isGone ? refused(pull.error, 'the branch was taken away again: ') : { result: 'unknown', words: pull.error.message }
}

/** What is there of a plan's change, and the rest as far as nobody sees it. */
interface Prepared {
  commit: string
  /** The branch that people would merge it into. */
  into: string
  hasBranch: boolean
  isOpen: boolean
}

/** @throws IntegrationError where something stands against it, or a branch of this name holds something else */
async function prepare(kind: RequestKind, { git, ...opened }: Opened, step: Step, executionId: string): Promise<Prepared> {
  const made = await madeBy(git, branchOf(kind, step))
  const [{ branch: into }, base] = await Promise.all([git.about(), git.commit(baseOf(step))])
  if (made.head === null && made.pull === null) {
    const edit = await editOf(kind, git, step)
    return { commit: await commitOf({ ...opened, git }, { kind, base, edit, step, executionId }), into, hasBranch: false, isOpen: false }
  }
  if (made.head === null) throw new IntegrationError(ID, 'refused', 'a pull request of this plan was there, and its branch is gone')
  if (!(await isOurs(kind, git, step, made.head))) throw new IntegrationError(ID, 'refused', 'a branch of this name holds something else')
  return { commit: made.head, into, hasBranch: true, isOpen: made.pull !== null }
}

/** Whether a branch holds the change of the plan, as one commit on its base, and nothing that somebody put there since. */
async function isOurs(kind: RequestKind, git: GitReader, step: Step, head: string): Promise<boolean> {
  const [commit, base] = await Promise.all([git.commit(head), git.commit(baseOf(step))])
  if (commit.parents.length !== 1 || commit.parents[0]?.sha !== base.sha) return false
  const { files } = await kind.edit(git, base.sha, step.parameters)
  return await isSame(git, commit, base, files)
}

/** A commit of exactly these files on the base, which no branch holds yet. @throws IntegrationError */
async function commitOf(
  { client, place, git }: Omit<Opened, 'repository'>,
  { kind, base, edit, step, executionId }: { kind: RequestKind; base: GitCommit; edit: Edit; step: Step; executionId: string },
): Promise<string> {
  const entries = edit.files.map(({ path, mode, after, text }) => ({
    ...{ path, mode, type: 'blob' },
    ...(text === undefined ? { sha: after } : { content: text }),
  }))
  const tree = await demandDone(
    client.send({
      ...{ route: 'POST /repos/{owner}/{repo}/git/trees', parameters: { ...place, base_tree: base.tree.sha, tree: entries } },
      schema: treeSchema,
    }),
  )
  const message = `${kind.title(step.parameters)}\n\n${bodyOf(step, executionId)}`
  const commit = await demandDone(
    client.send({
      ...{ route: 'POST /repos/{owner}/{repo}/git/commits', parameters: { ...place, message, tree: tree.sha, parents: [base.sha] } },
      schema: commitSchema,
    }),
  )
  // Before anybody sees it.
  if (!(await isSame(git, commit, base, edit.files))) throw new IntegrationError(ID, 'refused', 'what was made is not what was approved')
  return commit.sha
}

/** Whether one commit is the other with these files changed, and no other. */
async function isSame(git: GitReader, made: GitCommit, base: GitCommit, files: readonly FileEdit[]): Promise<boolean> {
  const [after, before] = await Promise.all([git.files(made), git.files(base)])
  const expected = new Map(before)
  for (const { path, mode, after: sha } of files) {
    if (sha === null) expected.delete(path)
    else expected.set(path, { mode, type: 'blob', sha })
  }
  return expected.size === after.size && [...expected].every(([path, entry]) => isEntry(after.get(path), entry))
}

function isEntry(found: TreeEntry | undefined, { mode, sha }: TreeEntry): boolean {
  return found?.sha === sha && found.mode === mode
}

async function demandDone<T>(sending: Promise<Sent<T>>): Promise<T> {
  const sent = await sending
  if (!sent.done) throw sent.error
  return sent.value
}

/** Closes what the plan opened and takes its branch away. What was merged meanwhile is people's. */
async function takeBack(kind: RequestKind, { client, place, git }: Opened, step: Step, signal: AbortSignal): Promise<EffectResult> {
  const branch = branchOf(kind, step)
  const { head, pull } = await madeBy(git, branch)
  if (pull?.merged_at) return { result: 'refused', reason: 'stale-target', words: `pull request #${pull.number} was merged meanwhile` }
  if (head !== null && !(await isOurs(kind, git, step, head)))
    return { result: 'refused', reason: 'stale-target', words: `somebody went on with the branch ${branch}: what becomes of it is theirs` }
  if (pull?.state === 'open') {
    const closed = await client.send({
      route: 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
      parameters: { ...place, pull_number: pull.number, state: 'closed' },
      schema: pullSchema,
      signal,
    })
    if (!closed.done) return endOf(closed.status, closed.error)
  }
  if (head !== null && !(await deleteBranch(client, place, branch)))
    return { result: 'unknown', words: `the branch ${branch} could not be deleted` }
  return { result: 'applied' }
}

async function deleteBranch(client: GithubClient, place: Place, branch: string): Promise<boolean> {
  try {
    const route = 'DELETE /repos/{owner}/{repo}/git/refs/{ref}'
    const sent = await client.send({ route, parameters: { ...place, ref: `heads/${branch}` }, schema: z.unknown() })
    // One that is gone is as it should be: GitHub answers 422.
    return sent.done || sent.status === 422 || sent.status === 404
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return false
  }
}

function endOf(status: number, error: IntegrationError): EffectResult {
  return status >= 500 || status === 408 ? { result: 'unknown', words: error.message } : refused(error, '')
}

function refused(error: IntegrationError, before: string): EffectResult {
  const isDenied = error.code === 'permission' || error.code === 'auth'
  return { result: 'refused', reason: isDenied ? 'permission-missing' : 'invalid', words: `${before}${error.message}` }
}

function bodyOf({ planId }: Step, executionId: string): string {
  return `Asked for during an incident, and approved by a person there. Steadyhand opened it and merges nothing.\n\nPlan ${planId}, execution ${executionId}.`
}

export function inShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
