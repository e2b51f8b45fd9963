import { z } from 'zod'

/** The fields that are read of GitHub's REST API, version 2022-11-28; what is not named here is dropped. */
const count = z.int().min(0).catch(0)
const link = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .nullish()
  .catch(null)

const fileSchema = z.object({
  filename: z.string().max(4_096),
  additions: count,
  deletions: count,
  /** Left out for what is no text, and for very many lines. */
  patch: z.string().optional(),
})
export type GithubFile = z.output<typeof fileSchema>

const commitSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/),
  html_url: link,
  commit: z.object({
    message: z.string(),
    author: z.object({ name: z.string().nullish(), date: z.iso.datetime({ offset: true }).nullish().catch(null) }).nullish(),
    committer: z.object({ date: z.iso.datetime({ offset: true }).nullish().catch(null) }).nullish(),
  }),
  /** The account; null where no account has the commit's address of mail. */
  author: z.object({ login: z.string() }).nullish().catch(null),
  parents: z.array(z.object({ sha: z.string() })).max(100),
})
export type GithubCommit = z.output<typeof commitSchema>

export const comparisonSchema = z.object({
  html_url: link,
  status: z.enum(['ahead', 'behind', 'diverged', 'identical']),
  ahead_by: count,
  total_commits: count,
  /** The oldest first. */
  commits: z.array(commitSchema).max(300),
  /** On the first page only, and no more than 300. */
  files: z.array(fileSchema).max(300).optional(),
})
export type GithubComparison = z.output<typeof comparisonSchema>

export const commitDetailSchema = z.object({ files: z.array(fileSchema).max(3_000).optional() })
export const commitHeadSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/) })
export const pullsSchema = z.array(z.object({ number: z.int().min(1), merged_at: z.string().nullish() })).max(100)
export const runsSchema = z.object({
  workflow_runs: z
    .array(
      z.object({
        name: z.string().nullish(),
        status: z.string().nullish(),
        conclusion: z.string().nullish(),
        html_url: link,
        workflow_id: z.int(),
        run_number: z.int(),
      }),
    )
    .max(100),
})
export const repositorySchema = z.object({ full_name: z.string(), private: z.boolean() })
