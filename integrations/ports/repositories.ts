/** A file that a commit changes. */
export interface FileChange {
  path: string
  /** Lines; 0 where the vendor does not count them. */
  additions: number
  deletions: number
  /** The changed lines as `diff -u` shows them; null where they are too many, or no text. */
  patch: string | null
}

export interface Commit {
  /** Whole. */
  sha: string
  /** The first line of its message. */
  title: string
  /** An account or a name, and never an address of mail. */
  author: string | null
  at: Date
  link: string | null
  /** The request by which it came in: '#42', '!42'; null where there was none, or nobody could tell. */
  request: string | null
  isMerge: boolean
  /** What it changes; null where that was not read. */
  files: readonly FileChange[] | null
}

/** What was built and tested of a commit. */
export interface PipelineRun {
  name: string
  state: 'succeeded' | 'failed' | 'running' | 'cancelled' | 'other'
  link: string | null
}

/** What lies between two versions of a service. */
export interface Comparison {
  /** 'acme/payments'. */
  repository: string
  query: string
  link: string | null
  /** `forward`: what came with the new version; `back`: it is an older one, and this is what went; `apart`: neither holds all of the other. */
  direction: 'forward' | 'back' | 'apart' | 'same'
  /** The newest first. Of many, those nearest to the newer version. */
  commits: readonly Commit[]
  totalCommits: number
  /** Everything together, without the lines. */
  files: readonly Omit<FileChange, 'patch'>[]
  /** Of the commit that is deployed now. */
  runs: readonly PipelineRun[]
  /** What could not be read, or was left out, a phrase each. */
  limits: readonly string[]
}

/** Where the sources of services are kept. */
export interface RepositoriesPort {
  /** Null for a service whose repository is not known. @throws IntegrationError, 'refused' for a version that names no state of a repository */
  compare(question: { service: string; from: string; to: string; signal?: AbortSignal }): Promise<Comparison | null>
}
