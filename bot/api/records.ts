import { z } from 'zod'
import type { Agent, Durations, Figures } from '../../agent/agent.ts'
import { postmortemMarkdown } from '../messages/postmortem.ts'
import { HttpProblem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { idSchema } from './lists.ts'
import { timeSchema } from './shapes.ts'
import { textSchema } from './text.ts'

export interface RecordsApiDeps {
  agent: Pick<Agent, 'figures' | 'incident'>
  now: () => Date
}

const USUAL_DAYS = 30
const DAY_MS = 86_400_000
const LONGEST_DAYS = 400

const count = z.int().min(0)
const seconds = z.number().min(0).nullable()
/** In seconds; `n` says on how many it stands. */
const durationsSchema = z.object({ mean: seconds, median: seconds, p90: seconds, n: count })
export const figuresSchema = z.object({
  from: timeSchema,
  to: timeSchema,
  service: z.string().nullable(),
  /** False where there was more than is counted at once: then every count is too small. */
  isWhole: z.boolean(),
  incidents: z.object({
    opened: count,
    open: count,
    bySeverity: z.object({ 1: count, 2: count, 3: count, 4: count }),
    merged: count,
    drillsLeftOut: count,
  }),
  timeToAcknowledge: durationsSchema,
  timeToResolve: durationsSchema,
  endings: z.object({ verified: count, healed: count, gone: count, person: count }),
  requests: z.object({ asked: count, approved: count, denied: count, expired: count, cancelled: count, superseded: count, waiting: count }),
  outcomes: z.object({ verified: count, failed: count, undetermined: count, undone: count, notRun: count }),
  approvalLatency: durationsSchema,
  /** Who decided how much, whoever decided most first: `atAGlance` of their votes came before anybody could have read the card. */
  voters: z.array(
    z.object({ person: z.string(), name: z.string(), votes: count, approved: count, atAGlance: count, medianSeconds: z.number().min(0) }),
  ),
  afterHours: z.object({ incidents: count, requests: count }),
  feedback: z.object({ right: count, wrong: count }),
})

const querySchema = z.object({
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  service: textSchema(200, 1).optional(),
  drills: z.enum(['true', 'false']).default('false'),
})

export function recordsEndpoints({ agent, now }: RecordsApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/records',
      name: 'getRecords',
      summary:
        'How a window went (the last 30 days unless stated): times, outcomes, approvals, after-hours pages, feedback. Drills only when asked for.',
      access: 'caller',
      query: querySchema,
      answers: { 200: { words: 'The figures.', schema: figuresSchema } },
      problems: ['invalid-query'],
      async handle({ query }) {
        const to = query.to === undefined ? now() : new Date(query.to)
        const from = query.from === undefined ? new Date(to.getTime() - USUAL_DAYS * DAY_MS) : new Date(query.from)
        const span = to.getTime() - from.getTime()
        if (span <= 0 || span > LONGEST_DAYS * DAY_MS)
          throw new HttpProblem('invalid-query', `from: has to be before to, by at most ${LONGEST_DAYS} days`)
        return { body: showFigures(await agent.figures({ from, to, service: query.service ?? null, drills: query.drills === 'true' })) }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/incidents/{id}/postmortem.md',
      name: 'draftPostmortem',
      summary: 'A draft from the timeline: facts with times and citations, nothing invented, open questions listed.',
      access: 'caller',
      params: idSchema,
      answers: { 200: { words: 'Markdown.', schema: null, type: 'text/markdown' } },
      problems: ['unknown-incident'],
      async handle({ params }) {
        const view = await agent.incident(params.id)
        if (!view) throw new HttpProblem('unknown-incident')
        const headers = { 'content-type': 'text/markdown; charset=utf-8', 'cache-control': 'no-store' }
        return new Response(postmortemMarkdown(view, now()), { headers })
      },
    }),
  ]
}

function showFigures(figures: Figures): z.infer<typeof figuresSchema> {
  return {
    ...figures,
    from: figures.from.toISOString(),
    to: figures.to.toISOString(),
    timeToAcknowledge: rounded(figures.timeToAcknowledge),
    timeToResolve: rounded(figures.timeToResolve),
    approvalLatency: rounded(figures.approvalLatency),
    voters: figures.voters.map((voter) => ({ ...voter, medianSeconds: toTenths(voter.medianSeconds) })),
  }
}

function rounded({ mean, median, p90, n }: Durations): Durations {
  const orNull = (value: number | null): number | null => (value === null ? null : toTenths(value))
  return { mean: orNull(mean), median: orNull(median), p90: orNull(p90), n }
}

function toTenths(value: number): number {
  return Math.round(value * 10) / 10
}
