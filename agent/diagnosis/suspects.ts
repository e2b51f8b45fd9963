import { type Statement, state } from './candidate.ts'
import type { Culprit } from './culprit.ts'
import type { CommitsContent } from './evidence-content.ts'
import type { Cited, Facts } from './facts.ts'

type Commit = CommitsContent['commits'][number]
type ChangedFile = NonNullable<Commit['files']>[number]

/** Why a commit is looked at first: what it changes, beside what was seen. Nothing that its author says of it counts. */
export interface Reason {
  kind: 'place' | 'name' | 'only' | 'migration' | 'configuration' | 'dependency'
  /** After "it": 'touches “src/charge.ts”, which error lines name (“app/charge.js:42”)'. What others wrote is quoted, names of files too. */
  words: string
  /** Evidence beside the commits themselves. */
  labels: readonly string[]
}

/** A commit that is worth looking at first. Never more than that: it may be innocent. */
export interface Suspect {
  commit: Commit
  reasons: readonly Reason[]
}

/** What was seen of the trouble, that a commit may have to do with. */
export interface Seen {
  /** Places in the program, 'src/charge.ts:42', and texts in which names of settings stand, each with its evidence. */
  places: readonly { text: string; label: string }[]
  texts: readonly { text: string; label: string; what: string }[]
}

/** As many as a card has room for beside the rest. */
const MOST_SUSPECTS = 2
const MOST_REASONS = 2
const WEIGHTS: Readonly<Record<Reason['kind'], number>> = { place: 6, name: 5, only: 4, migration: 2, configuration: 2, dependency: 1 }

/** The commits that touch what the diagnosis is about, the most suspect first, the newer first among equals. Pure. */
export function suspectsOf({ commits, totalCommits }: Pick<CommitsContent, 'commits' | 'totalCommits'>, seen: Seen): Suspect[] {
  const isAlone = totalCommits === 1
  return commits
    .filter(({ isMerge }) => !isMerge)
    .map((commit) => ({ commit, reasons: reasonsOf(commit, seen, isAlone) }))
    .filter(({ reasons }) => reasons.length > 0)
    .toSorted((a, b) => weightOf(b) - weightOf(a))
    .slice(0, MOST_SUSPECTS)
}

function weightOf({ reasons }: Suspect): number {
  return reasons.reduce((sum, { kind }) => sum + WEIGHTS[kind], 0)
}

function reasonsOf({ files }: Commit, seen: Seen, isAlone: boolean): Reason[] {
  const changed = files ?? []
  return [
    ...placeReason(changed, seen.places),
    ...nameReason(changed, seen.texts),
    ...(isAlone ? [{ kind: 'only' as const, words: 'is the only commit between the two', labels: [] }] : []),
    ...kindReasons(changed),
  ]
}

function placeReason(files: readonly ChangedFile[], places: Seen['places']): Reason[] {
  for (const { path } of files) {
    const place = places.find(({ text }) => isSameFile(path, text))
    if (place) return [{ kind: 'place', words: `touches “${path}”, which error lines name (“${place.text}”)`, labels: [place.label] }]
  }
  return []
}

/** Names that many folders have a file of. */
const COMMON = new Set(['index', 'main', 'app', 'server', 'mod', 'lib', 'utils', 'util', 'handler', 'init', '__init__', 'types', 'config'])
const SCRIPT = /\.[cm]?[jt]sx?$/

/** Whether a place in what runs is in a file of the repository: they end alike. What is built has other folders, and a script another ending. */
function isSameFile(path: string, place: string): boolean {
  const own = segmentsOf(path)
  const named = segmentsOf(place.replace(/:\d+$/, ''))
  const shared = own.findIndex((segment, i) => segment !== named[i])
  const alike = shared === -1 ? own.length : shared
  return alike >= 2 || (alike === 1 && !COMMON.has(own[0]?.replace(/\..*$/, '').toLowerCase() ?? ''))
}

/** From the end, the file's name with one ending for all scripts. */
function segmentsOf(path: string): string[] {
  return path
    .replace(SCRIPT, '.js')
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .toReversed()
}

/** A variable of the environment, as such are written. */
const SETTING = /(?<![A-Za-z0-9_])[A-Z][A-Z0-9]{1,30}(?:_[A-Z0-9]{1,30}){1,6}(?![A-Za-z0-9_])/g
/** Written alike, and no settings. */
const NO_SETTINGS = /^(ERR|HTTP|SIG|E)_|_(ERROR|EXCEPTION)$/

function nameReason(files: readonly ChangedFile[], texts: Seen['texts']): Reason[] {
  for (const { path, patch } of files) {
    const lines = changedLines(patch)
    for (const { text, label, what } of texts) {
      const name = [...text.matchAll(SETTING)].map(([found]) => found).find((each) => !NO_SETTINGS.test(each) && lines.includes(each))
      if (name !== undefined)
        return [{ kind: 'name', words: `changes lines with “${name}” in “${path}”, and ${what} “${name}”`, labels: [label] }]
    }
  }
  return []
}

/** What was added or removed, as words. */
function changedLines(patch: string | null): string[] {
  const lines = (patch ?? '').split('\n').filter((line) => /^[+-](?![+-]{2})/.test(line))
  return lines.flatMap((line) => line.match(SETTING) ?? [])
}

const KINDS: readonly { kind: 'migration' | 'configuration' | 'dependency'; what: string; path: RegExp }[] = [
  { kind: 'migration', what: 'a migration', path: /(^|\/)(migrations?|migrate|alembic|flyway|liquibase)\//i },
  {
    kind: 'dependency',
    what: 'what it depends on',
    path: /(^|\/)(package(-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.(mod|sum)|requirements[\w.-]*\.txt|poetry\.lock|pyproject\.toml|uv\.lock|pom\.xml|build\.gradle(\.kts)?|Gemfile(\.lock)?|Cargo\.(toml|lock)|composer\.(json|lock))$/,
  },
  {
    kind: 'configuration',
    what: 'its configuration',
    path: /(^|\/)(Dockerfile[\w.-]*|\.env[\w.-]*)$|\.(ya?ml|toml|ini|properties|conf|env)$|(^|\/)(config|conf|deploy|charts?|helm|k8s|kustomize|manifests)\//i,
  },
]

/** Of each kind one file, the first kind that fits it. */
function kindReasons(files: readonly ChangedFile[]): Reason[] {
  const found = new Map<Reason['kind'], Reason>()
  for (const { path } of files) {
    const fits = KINDS.find((each) => each.path.test(path))
    if (fits && !found.has(fits.kind)) found.set(fits.kind, { kind: fits.kind, words: `changes ${fits.what} (“${path}”)`, labels: [] })
  }
  return [...found.values()]
}

/** The suspects among the commits of the change that is accused, as statements: which, and why it is looked at first. */
export function suspectStatements(
  facts: Facts,
  { service, facts: { logs } }: Culprit,
  change: { from: string | null; to: string | null; summary: string },
): Statement[] {
  const found = facts.commits.findLast((each) => each.service === service && each.from === change.from && each.to === change.to)
  if (!found) return []
  const seen: Seen = {
    places: logs ? (logs.places ?? []).map((text) => ({ text, label: logs.label })) : [],
    texts: [
      ...(facts.changes ? [{ text: change.summary, label: facts.changes.label, what: 'the rollout changed' }] : []),
      ...(logs?.patterns.map(({ sample }) => ({ text: sample, label: logs.label, what: 'error lines name' })) ?? []),
    ],
  }
  return suspectsOf(found, seen).flatMap((suspect) => statementOf(suspect, found))
}

function statementOf({ commit, reasons }: Suspect, { label, direction }: Cited<CommitsContent>): Statement[] {
  const told = reasons.slice(0, MOST_REASONS)
  const request = commit.request === null ? '' : ` (${commit.request})`
  const went = direction === 'back' ? ', which this change took away' : ''
  const text = `Look first at commit ${commit.short} “${commit.title}”${request}${went}: it ${told.map(({ words }) => words).join(', and it ')}.`
  return state(text, label, ...told.flatMap(({ labels }) => labels))
}
