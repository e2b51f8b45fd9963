import { z } from 'zod'
import type { MetricName } from '../../integrations/ports/metrics.ts'
import { ALL_FAULT_CLASSES } from '../domain/fault-classes.ts'

/**
 * What the stored content of each kind of evidence looks like: investigation writes it, diagnosis reads it, and claims are checked against it.
 * Moments are RFC 3339, except in points.
 */
const moment = z.iso.datetime()

export const seriesContentSchema = z.object({
  metric: z.string(),
  unit: z.string(),
  query: z.string(),
  /** [seconds since 1970, value], oldest first. */
  points: z.array(z.tuple([z.number(), z.number()])),
})
export type SeriesContent = Omit<z.infer<typeof seriesContentSchema>, 'metric'> & { metric: MetricName }

export const metricsContentSchema = z.object({
  service: z.string(),
  series: z.array(seriesContentSchema),
  /** What is said about each series in claims; the numbers there are these. */
  findings: z.array(
    z.object({
      metric: z.string(),
      samples: z.number(),
      /** Median before the trouble, and of the last samples; null when there were none. */
      before: z.number().nullable(),
      now: z.number().nullable(),
      peak: z.number().nullable(),
      low: z.number().nullable(),
      /** When the latest unusual stretch began, and ended if it has. */
      began: moment.nullable(),
      ended: moment.nullable(),
      /** When the present rise began, for what rises without a break. */
      risingSince: moment.nullable(),
    }),
  ),
  failed: z.array(z.object({ metric: z.string(), words: z.string() })),
})
export type MetricsContent = z.infer<typeof metricsContentSchema>
export type Finding = MetricsContent['findings'][number]

export const logsContentSchema = z.object({
  service: z.string(),
  lines: z.number(),
  omitted: z.number(),
  patterns: z.array(
    z.object({ pattern: z.string(), sample: z.string(), count: z.number(), first: moment, last: moment, versions: z.array(z.string()) }),
  ),
  /** Places in the program that the lines name, 'src/charge.ts:42'; there only where they do. */
  places: z.array(z.string()).optional(),
})
export type LogsContent = z.infer<typeof logsContentSchema>

/** Traces of a service that failed or were slow, and one of them as its spans. */
export const tracesContentSchema = z.object({
  service: z.string(),
  /** From how many milliseconds on a span counts as slow. */
  slowMs: z.number(),
  traces: z.array(
    z.object({
      id: z.string(),
      which: z.enum(['failed', 'slow']),
      service: z.string().nullable(),
      operation: z.string().nullable(),
      at: moment,
      ms: z.number(),
      spans: z.number().nullable(),
      failedSpans: z.number().nullable(),
      services: z.array(z.string()),
    }),
  ),
  opened: z
    .object({
      id: z.string(),
      spans: z.number(),
      /** Spans that are in no line. */
      omitted: z.number(),
      lines: z.array(
        z.object({
          /** How many calls below the first line. */
          depth: z.number(),
          service: z.string(),
          operation: z.string(),
          /** Spans of the same service and operation, below the same one. */
          count: z.number(),
          /** Milliseconds after the trace began, and that the longest of them took. */
          after: z.number(),
          ms: z.number(),
          /** Milliseconds that all of them took without waiting for what is below them. */
          ownMs: z.number(),
          /** What the first that failed says of it; null when none did. */
          failure: z.string().nullable(),
          failed: z.number(),
        }),
      ),
    })
    .nullable(),
  /** What could not be read, in words. */
  failed: z.array(z.string()),
})
export type TracesContent = z.infer<typeof tracesContentSchema>

export const changesContentSchema = z.object({
  services: z.array(z.string()),
  from: moment,
  to: moment,
  changes: z.array(
    z.object({
      id: z.string(),
      at: moment,
      kind: z.enum(['release', 'rollback', 'scale', 'restart', 'config', 'flag', 'other']),
      service: z.string(),
      summary: z.string(),
      by: z.string().nullable(),
      from: z.string().nullable(),
      to: z.string().nullable(),
    }),
  ),
})
export type ChangesContent = z.infer<typeof changesContentSchema>

const changedFileSchema = z.object({ path: z.string(), additions: z.number(), deletions: z.number() })

/** What lies between two versions of a service, in its repository. All of it is text of whoever may write there. */
export const commitsContentSchema = z.object({
  service: z.string(),
  /** As the change names them. */
  from: z.string(),
  to: z.string(),
  repository: z.string(),
  /** `back`: it went to an older version, and this is what was taken away. */
  direction: z.enum(['forward', 'back', 'apart', 'same']),
  totalCommits: z.number(),
  /** The newest first. */
  commits: z.array(
    z.object({
      sha: z.string(),
      /** As people write it. */
      short: z.string(),
      title: z.string(),
      author: z.string().nullable(),
      at: moment,
      /** '#42'. */
      request: z.string().nullable(),
      isMerge: z.boolean(),
      link: z.string().nullable(),
      /** Null where nobody read what it changes. */
      files: z.array(changedFileSchema.extend({ patch: z.string().nullable() })).nullable(),
    }),
  ),
  files: z.array(changedFileSchema),
  runs: z.array(
    z.object({ name: z.string(), state: z.enum(['succeeded', 'failed', 'running', 'cancelled', 'other']), link: z.string().nullable() }),
  ),
  limits: z.array(z.string()),
})
export type CommitsContent = z.infer<typeof commitsContentSchema>

export const workloadContentSchema = z.object({
  service: z.string(),
  environment: z.string(),
  version: z.string(),
  previousVersion: z.string().nullable(),
  desiredReplicas: z.number(),
  readyReplicas: z.number(),
  restarts: z.number(),
  startedAt: moment.nullable(),
  events: z.array(z.object({ at: moment, text: z.string() })),
  /** What keeps it as a repository says, and is doing: a line each; there only where something does. */
  keepers: z.array(z.string()).optional(),
})
export type WorkloadContent = z.infer<typeof workloadContentSchema>

/** What the rules over a cluster read off the namespace of a service, with what they read it off. */
export const clusterContentSchema = z.object({
  service: z.string(),
  namespace: z.string(),
  /** Pods that should run, and how many of them are ready; null where they could not be read. */
  pods: z.object({ living: z.number(), ready: z.number() }).nullable(),
  workloads: z.array(z.object({ service: z.string(), desired: z.number(), ready: z.number() })),
  /** Pods that are not well, as the platform shows them. */
  unwell: z.array(
    z.object({
      pod: z.string(),
      phase: z.string(),
      node: z.string().nullable(),
      restarts: z.number(),
      /** 'CrashLoopBackOff: back-off 40s', 'OOMKilled, exit code 137': one a container. */
      states: z.array(z.string()),
    }),
  ),
  findings: z.array(
    z.object({
      class: z.enum(ALL_FAULT_CLASSES),
      component: z.string(),
      score: z.number(),
      words: z.string(),
      /** The platform's own words. */
      quotes: z.array(z.string()),
      since: moment.nullable(),
      /** Services that suffer from it directly. */
      services: z.array(z.string()),
    }),
  ),
  /** Parts of the namespace that could not be read. */
  unread: z.array(z.string()),
})
export type ClusterContent = z.infer<typeof clusterContentSchema>

export const topologyContentSchema = z.object({
  service: z.string(),
  edges: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      /** When it was last seen, where calls are known by being seen. */
      seen: moment.nullable().default(null),
    }),
  ),
  dependencies: z.array(z.string()),
  dependents: z.array(z.string()),
  frontDoors: z.array(z.string()),
  /** Who of these is somebody else's, and where that somebody is told. */
  outside: z.array(z.object({ name: z.string(), owner: z.string(), contact: z.string() })).default([]),
})
export type TopologyContent = z.infer<typeof topologyContentSchema>

/** What the ranking by numbers made of the series of a round. */
export const rankingContentSchema = z.object({
  /** Where it was noticed, as what (null: nobody said), and when. */
  service: z.string(),
  metric: z.string().nullable(),
  noticedAt: moment,
  /** What it was asked about. */
  services: z.array(z.string()),
  series: z.number(),
  calls: z.number(),
  /** Nothing left its usual by more than chance does: the order is not to be trusted. */
  abstained: z.boolean(),
  /** Best first. */
  components: z.array(
    z.object({
      component: z.string(),
      score: z.number(),
      reasons: z.array(
        z.object({
          metric: z.string(),
          score: z.number(),
          /** How many times its usual spread it departed. */
          times: z.number(),
          usual: z.number(),
          /** Where it rose to and stayed; null for what fell. */
          risen: z.number().nullable(),
          /** 0–1: what the services that it calls explain of it. */
          explained: z.number(),
          since: moment.nullable(),
          /** Seconds from then to the notice, negative when it began later. */
          lead: z.number().nullable(),
        }),
      ),
    }),
  ),
})
export type RankingContent = z.infer<typeof rankingContentSchema>

/** What a server of somebody else answered. */
export const outsideContentSchema = z.object({
  server: z.string(),
  tool: z.string(),
  /** What it was asked with. */
  asked: z.array(z.string()),
  text: z.string(),
  /** Characters that were cut off. */
  omitted: z.int(),
  /** Parts that are no text, which nobody read. */
  unread: z.int(),
})
export type OutsideContent = z.infer<typeof outsideContentSchema>

export const symptomContentSchema = z.object({
  service: z.string(),
  metric: z.string(),
  comparator: z.enum(['>', '<']),
  threshold: z.number(),
  samples: z.number(),
  now: z.number().nullable(),
  lastBreach: moment.nullable(),
  healthySince: moment.nullable(),
  /** No sample since the alert began, nor shortly before, was beyond the limit: what the sender saw is not in these metrics. */
  contradicted: z.boolean(),
  points: z.array(z.tuple([z.number(), z.number()])),
})
export type SymptomContent = z.infer<typeof symptomContentSchema>
