import { z } from 'zod'

/** The fields that are read of GitLab's REST API, version 4: https://docs.gitlab.com/api/rest/. What is not named here is dropped. */
const sha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
const link = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .nullish()
  .catch(null)

export const commitSchema = z.object({
  id: sha,
  title: z.string(),
  author_name: z.string().nullish(),
  committed_date: z.iso.datetime({ offset: true }),
  parent_ids: z.array(z.string()).max(100),
  web_url: link,
})
export type GitlabCommit = z.output<typeof commitSchema>

const diffSchema = z.object({
  new_path: z.string().max(4_096),
  /** Empty for what is no text, and for very many lines. */
  diff: z.string(),
})
export type GitlabDiff = z.output<typeof diffSchema>
export const diffsSchema = z.array(diffSchema).max(3_000)

export const comparisonSchema = z.object({
  /** The oldest first. */
  commits: z.array(commitSchema).max(10_000),
  diffs: diffsSchema,
  compare_timeout: z.boolean().catch(false),
  web_url: link,
})
export type GitlabComparison = z.output<typeof comparisonSchema>

export const requestsSchema = z.array(z.object({ iid: z.int().min(1), state: z.string() })).max(100)
export const pipelinesSchema = z.array(z.object({ ref: z.string().nullish(), status: z.string(), web_url: link })).max(100)
export const projectSchema = z.object({ path_with_namespace: z.string() })
