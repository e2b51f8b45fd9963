import type { Commit, Comparison, RepositoriesPort } from '../../../integrations/ports/repositories.ts'
import { type ChangesContent, type CommitsContent, changesContentSchema } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { redact } from '../../redact.ts'
import { askSource, type WarningLog } from '../ask-source.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

const MAX_COMPARISONS = 3
const MAX_COMMITS = 50
const MAX_FILES = 50
const MAX_FILES_OF_COMMIT = 20
/** Characters of the lines of one file, and of all of them. */
const MAX_PATCH = 2_000
const MAX_PATCHES = 40_000
const SHORT = 8
const TITLE = 120
const PATH = 200

type KnownChange = ChangesContent['changes'][number]
/** A change from one known version to another. */
interface Step {
  service: string
  from: string
  to: string
}

/** What lies in the repositories between the versions that changes near the incident name: an item for each, and none where no repository is known. */
export async function collectCommits(
  sources: readonly { id: string; repositories?: RepositoriesPort }[],
  changes: readonly NewEvidence[],
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence[]> {
  const steps = stepsOf(changes, scope)
  const asked = sources.flatMap(({ id, repositories }) => (repositories ? steps.map((step) => ({ id, repositories, step })) : []))
  const items = await Promise.all(asked.map((each) => collectStep(each, scope, signal, log)))
  return items.filter((item) => item !== null)
}

/** The latest of each service that went from one version to another, the incident's own first. */
function stepsOf(evidence: readonly NewEvidence[], { near }: Scope): Step[] {
  const changes = evidence.flatMap(({ status, content }) =>
    status === 'ok' ? (changesContentSchema.safeParse(content).data?.changes ?? []) : [],
  )
  return near
    .flatMap((service) => {
      const step = changes.map((change) => stepOf(change)).find((each) => each?.service === service)
      return step ? [step] : []
    })
    .slice(0, MAX_COMPARISONS)
}

function stepOf({ kind, service, from, to }: KnownChange): Step | null {
  const isOfVersions = kind === 'release' || kind === 'rollback' || kind === 'config'
  return isOfVersions && from !== null && to !== null && from !== to ? { service, from, to } : null
}

async function collectStep(
  { id, repositories, step }: { id: string; repositories: RepositoriesPort; step: Step },
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence | null> {
  const question = async (): Promise<{ found: Comparison; content: CommitsContent } | null> => {
    const found = await repositories.compare({ ...step, signal })
    return found ? { found, content: contentOf(step, found) } : null
  }
  const answer = await askSource(question, signal, log)
  // Whoever may write in the repository wrote it, and where that is open to all, anybody.
  const frame = { kind: 'commits', source: id, trust: 'log' as const, from: scope.from, to: scope.to }
  const about = `${step.service} from ${step.from} to ${step.to}`
  if (!answer.ok) {
    const content = { ...step, failed: answer.words }
    return {
      ...frame,
      status: answer.status,
      summary: `commits of ${about}: ${answer.words}`,
      query: `commits of ${about}`,
      link: null,
      content,
    }
  }
  if (!answer.value) return null
  const { found, content } = answer.value
  const status = content.commits.length > 0 ? 'ok' : 'empty'
  return { ...frame, status, summary: summaryOf(content), query: found.query.slice(0, 4_000), link: found.link, content }
}

function contentOf(step: Step, found: Comparison): CommitsContent {
  let room = MAX_PATCHES
  const patchOf = (patch: string | null): string | null => {
    if (patch === null || room <= 0) return null
    const lines = redact(patch.slice(0, Math.min(MAX_PATCH, room)).toWellFormed())
    room -= lines.length
    return lines
  }
  const filesOf = (files: NonNullable<Commit['files']>) =>
    files.slice(0, MAX_FILES_OF_COMMIT).map(({ patch, ...file }) => ({ ...fileOf(file), patch: patchOf(patch) }))
  return {
    ...step,
    repository: oneLine(found.repository, PATH),
    direction: found.direction,
    totalCommits: found.totalCommits,
    commits: found.commits.slice(0, MAX_COMMITS).map((commit) => ({
      ...{
        sha: commit.sha,
        short: commit.sha.slice(0, SHORT),
        title: oneLine(commit.title, TITLE),
        isMerge: commit.isMerge,
        link: commit.link,
      },
      author: commit.author === null ? null : oneLine(commit.author, 60),
      at: commit.at.toISOString(),
      request: commit.request,
      files: commit.files === null ? null : filesOf(commit.files),
    })),
    files: found.files.slice(0, MAX_FILES).map(fileOf),
    runs: found.runs.map(({ name, state, link }) => ({ name: oneLine(name, 60), state, link })),
    limits: found.limits.map((limit) => oneLine(limit, 200)),
  }
}

function fileOf({ path, additions, deletions }: CommitsContent['files'][number]): CommitsContent['files'][number] {
  return { path: oneLine(path, PATH), additions, deletions }
}

const DIRECTION_WORDS: Readonly<Record<CommitsContent['direction'], string>> = {
  forward: '',
  back: ' went away with the older version',
  apart: ', and the version before has others',
  same: '',
}

function summaryOf({ service, from, to, repository, direction, totalCommits, commits, files, runs, limits }: CommitsContent): string {
  const about = `${service} from ${from} to ${to} in ${repository}`
  const left = limits.length > 0 ? `; ${limits.join('; ')}` : ''
  if (totalCommits === 0) return `${about}: the same commit${left}`
  const [newest] = commits
  const lines = files.reduce((sum, file) => ({ added: sum.added + file.additions, gone: sum.gone + file.deletions }), { added: 0, gone: 0 })
  const how = `${counted(totalCommits, 'commit')}${DIRECTION_WORDS[direction]}, ${counted(files.length, 'file')}, ${lines.added} lines added and ${lines.gone} removed`
  const last = newest ? `; the last: ${newest.short} “${newest.title}”${newest.request === null ? '' : ` (${newest.request})`}` : ''
  const ran = runs.map(({ name, state }) => `${name} ${STATE_WORDS[state]}`)
  return `${about}: ${how}${last}${ran.length > 0 ? `; of the deployed commit ${ran.join(', ')}` : ''}${left}`
}

const STATE_WORDS: Readonly<Record<CommitsContent['runs'][number]['state'], string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  running: 'still runs',
  cancelled: 'was cancelled',
  other: 'ended without a result',
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
