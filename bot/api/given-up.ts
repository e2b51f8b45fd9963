import { z } from 'zod'
import { cleanText } from '../messages/visible-text.ts'
import { demandHost } from './demand-host.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { timeSchema } from './shapes.ts'

export const WHAT_IS_GIVEN_UP = ['delivery', 'job', 'notice'] as const
const LISTED = 500
const KIND_LENGTH = 60
const WHY_LENGTH = 200

const givenUpSchema = z.object({
  what: z.enum(WHAT_IS_GIVEN_UP),
  id: z.int().min(1),
  kind: z.string(),
  at: timeSchema,
  why: z.string(),
  /** Whether it may be taken up again; what people did in a chat may not. */
  again: z.boolean(),
})
export type ShownGivenUp = z.infer<typeof givenUpSchema>
export const givenUpListSchema = z.object({ items: z.array(givenUpSchema), more: z.boolean() })

export const replaySchema = z.strictObject({ what: z.enum(WHAT_IS_GIVEN_UP), id: z.int().min(1), dismiss: z.boolean().default(false) })
/** `dismissed` and the words of storage. */
export const replayedSchema = z.object({ result: z.enum(['waits', 'over', 'never', 'unknown', 'dismissed']) })

/** What was given up, as storage keeps it. */
export interface GivenUpRows {
  list(limit: number): Promise<{ what: ShownGivenUp['what']; id: number; kind: string; at: Date; why: string | null; again: boolean }[]>
  takeUp(what: ShownGivenUp['what'], id: number): Promise<'waits' | 'over' | 'never' | 'unknown'>
  dismiss(jobId: number): Promise<boolean>
}

export interface GivenUpApiDeps {
  givenUp: GivenUpRows
  hostSecret: string
  log: { warn(object: object, message: string): void }
}

/** What `replay` of the command line asks of the process that runs. */
export function givenUpEndpoints({ givenUp, hostSecret, log }: GivenUpApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/admin/given-up',
      name: 'listGivenUp',
      summary: 'Deliveries, jobs and notices that were tried until they were given up. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: `The first ${LISTED}; what may be taken up again comes first.`, schema: givenUpListSchema } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      handle: async () => ({ body: await showGivenUp(givenUp) }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/admin/given-up',
      name: 'replay',
      summary:
        'Takes up again one delivery, job or notice that was given up, or dismisses a job that never is. For the command line on the host only.',
      access: 'token',
      body: replaySchema,
      answers: { 200: { words: 'What became of it.', schema: replayedSchema } },
      problems: ['no-token', 'not-authorised'],
      admit: (context) => demandHost(context, hostSecret),
      async handle({ body }) {
        const replayed = await replay(givenUp, body)
        log.warn({ ...body, ...replayed }, 'the operator took up what was given up')
        return { body: replayed }
      },
    }),
  ]
}

/** In words that are fit to be shown: errors repeat what came from outside. */
export async function showGivenUp(givenUp: GivenUpRows): Promise<z.infer<typeof givenUpListSchema>> {
  const items = await givenUp.list(LISTED + 1)
  const shown = items.slice(0, LISTED).map(({ what, id, kind, at, why, again }) => ({
    ...{ what, id, again, at: at.toISOString() },
    kind: cleanText(kind, KIND_LENGTH),
    why: cleanText(why ?? '', WHY_LENGTH) || 'nobody said why',
  }))
  return { items: shown, more: items.length > LISTED }
}

export async function replay(
  givenUp: GivenUpRows,
  { what, id, dismiss }: z.infer<typeof replaySchema>,
): Promise<z.infer<typeof replayedSchema>> {
  if (!dismiss) return { result: await givenUp.takeUp(what, id) }
  return { result: what === 'job' && (await givenUp.dismiss(id)) ? 'dismissed' : 'unknown' }
}
