import type { ChangeLine } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import { ID } from '../client.ts'

/** One file of a change: what it holds after it; null where it goes. */
export interface FileEdit {
  path: string
  mode: string
  /** What git calls its content. */
  after: string | null
  /** The whole text, where git does not have it yet. */
  text?: string
}

/** A change of files of a base commit, with the lines that a card shows of it. */
export interface Edit {
  files: readonly FileEdit[]
  lines: readonly ChangeLine[]
}

/** What a repository runs by itself: a pull request that changes it would run it. */
const RUNS =
  /^(\.github|\.circleci|\.buildkite|\.woodpecker|\.semaphore|\.husky)(\/|$)|(^|\/)(package(-lock)?\.json|composer\.json|\.pre-commit-config\.ya?ml|\.mergify\.yml|\.gitlab-ci\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|\.travis\.yml|\.drone\.yml|\.cirrus\.ya?ml|cloudbuild\.ya?ml|buildspec\.ya?ml|appveyor\.ya?ml|bitbucket-pipelines\.ya?ml|action\.ya?ml)$/i
const NO_PATH = /(^|\/)(\.{0,2}|\.git)(\/|$)/i
const LONGEST_PATH = 150

/** Why a file is left to people; null where it is not. */
export function objectionToPath(path: string): string | null {
  if (NO_PATH.test(path) || path.length > LONGEST_PATH || !/^[\x20-\x7e]+$/.test(path) || path.includes('\\'))
    return `${path.slice(0, 60).toWellFormed()} is no path that is changed from here`
  return RUNS.test(path) ? `${path} says what the repository runs by itself, which is left to people` : null
}

/** @throws IntegrationError for a file that is left to people */
export function demandPath(path: string): void {
  const objection = objectionToPath(path)
  if (objection !== null) throw new IntegrationError(ID, 'refused', objection)
}
