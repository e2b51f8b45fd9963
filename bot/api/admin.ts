import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { SURFACES } from '../../agent/domain/principal.ts'
import { startScope } from '../commands/scope.ts'
import { HttpProblem } from '../problem.ts'
import { reportSchema } from './audit.ts'
import { demandHost } from './demand-host.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { modeSchema, showMode } from './system.ts'
import { textSchema } from './text.ts'

export interface AdminApiDeps {
  agent: Pick<Agent, 'control' | 'effects' | 'power' | 'settle' | 'services' | 'mode' | 'verifyAudit'>
  /** Each says what is so with what it reaches, and what to mend. */
  integrations: readonly { check(): Promise<CheckResult[]> }[]
  /** A backup of the database as it is now. */
  backUp(): Promise<ReadableStream<Uint8Array>>
  /** The audit log after a place in it, signed. @throws RangeError when it has no such place */
  exportAudit(since: number): Promise<ReadableStream<Uint8Array>>
  /** What only the operator on this machine can read. */
  hostSecret: string
}

export const firstAdminSchema = z.strictObject({
  person: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, dots, dashes or underscores'),
  name: textSchema(100, 1).nullable(),
  link: z.strictObject({ surface: z.enum(SURFACES), tenant: textSchema(200, 1), externalId: textSchema(200, 1) }).nullable(),
})
export const enrolledSchema = z.object({ person: z.string() })
export const startedSchema = z.object({ scope: z.string(), started: z.boolean() })

export const placesSchema = z.object({ items: z.array(z.object({ service: z.string(), environment: z.string() })) })

const checkSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'failed']),
  words: z.string(),
  fix: z.string().nullable(),
})
export type CheckResult = z.infer<typeof checkSchema>
export const checksSchema = z.object({ items: z.array(checkSchema) })

const effectSchema = z.object({ executionId: z.string(), planId: z.string(), digest: z.string(), resource: z.string(), at: z.string() })
export const settledSchema = z.object({ title: z.string(), state: z.string() })
export const effectsSchema = z.object({ items: z.array(effectSchema) })

/** What the command line on the host asks of the process that runs: the operator's own, never a key's or a session's. */
export function adminEndpoints({ agent, hostSecret, integrations, backUp, exportAudit }: AdminApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/api/v1/admin/start-again',
      name: 'startAgain',
      summary:
        'Starts again what was stopped. For the command line on the host only, which proves itself by a file that nobody else can read.',
      access: 'token',
      query: z.object({ scope: textSchema(200, 1).optional() }),
      answers: { 200: { words: 'It runs again.', schema: startedSchema } },
      problems: ['no-token', 'invalid-query', 'invalid-parameters', 'not-authorised'],
      admit: (context) => demandHost(context, hostSecret),
      async handle({ query }) {
        return { body: await startAgain(agent.control, query.scope) }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/admin/services',
      name: 'listAllServices',
      summary: 'All services, whatever workspace they belong to. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: 'All of them.', schema: placesSchema } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      async handle() {
        const { items } = await agent.services()
        return { body: { items: items.map(({ name, environment }) => ({ service: name, environment })) } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/admin/checks',
      name: 'checkIntegrations',
      summary: 'Asks each target and source whether it answers and grants what is needed. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: 'What each said; a right that is missing is named in `fix`.', schema: checksSchema } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      handle: async () => ({ body: { items: (await Promise.all(integrations.map((each) => each.check()))).flat() } }),
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/admin/mode',
      name: 'getWholeMode',
      summary: 'Whether approved actions would run now, and if not every reason why. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: 'The mode.', schema: modeSchema } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      handle: async () => ({ body: await showMode(agent) }),
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/admin/audit/verify',
      name: 'verifyWholeAudit',
      summary: 'Proves the audit log, with the rows that a violation names. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: 'What was found; `ok` is false when anything is not as it should be.', schema: reportSchema } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      async handle() {
        const { ok, violations, entries, head } = await agent.verifyAudit()
        return { body: { ok, violations, entries, head } }
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/admin/first',
      name: 'enrolFirstAdmin',
      summary: 'Makes the first admin, while there is none. For the command line on the host only.',
      access: 'token',
      body: firstAdminSchema,
      answers: { 200: { words: 'That person is an admin now.', schema: enrolledSchema } },
      problems: ['no-token', 'admin-exists', 'nothing-to-change', 'not-authorised'],
      admit: (context) => demandHost(context, hostSecret),
      handle: async ({ body }) => ({ body: await enrolFirst(agent.power, body) }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/admin/backup',
      name: 'backUp',
      summary: 'A backup of the database as it is now. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: 'The file, to be kept where only its owner reads it.', schema: null, type: 'application/octet-stream' } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      async handle() {
        const headers = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' }
        return new Response(await backUp(), { headers })
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/admin/audit-export',
      name: 'exportAudit',
      summary: 'The audit log as signed lines of JSON, to be verified without this server. For the command line on the host only.',
      access: 'token',
      query: z.object({
        since: z
          .string()
          .regex(/^\d{1,15}$/, 'must be a place in the log')
          .default('0'),
      }),
      answers: { 200: { words: 'The file.', schema: null, type: 'application/jsonl' } },
      problems: ['no-token', 'invalid-query'],
      admit: (context) => demandHost(context, hostSecret),
      async handle({ query }) {
        try {
          const headers = { 'content-type': 'application/jsonl', 'cache-control': 'no-store' }
          return new Response(await exportAudit(Number(query.since)), { headers })
        } catch (error) {
          if (error instanceof RangeError) throw new HttpProblem('invalid-query', error.message)
          throw error
        }
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/admin/settle',
      name: 'settle',
      summary:
        'Ends what was sent and has no answer, by the word of a person who looked at the target. For the command line on the host only.',
      access: 'token',
      body: z.strictObject({ approval: z.uuid(), found: z.enum(['applied', 'not-applied']), reason: textSchema(500, 1) }),
      answers: { 200: { words: 'Where the action stands now.', schema: settledSchema } },
      problems: ['no-token', 'unknown-approval', 'too-late', 'fenced'],
      admit: (context) => demandHost(context, hostSecret),
      async handle({ body: { approval: id, found, reason } }) {
        const { plan, execution } = await agent.settle(id, { found, by: 'host', reason })
        return { body: { title: plan.action.title, state: execution?.state ?? 'unknown' } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/admin/effect-gap',
      name: 'effectGap',
      summary: 'Effects that the effect journal knows and the database does not. For the command line on the host only.',
      access: 'token',
      answers: { 200: { words: 'What was done; empty when the database knows all of it.', schema: effectsSchema } },
      problems: ['no-token'],
      admit: (context) => demandHost(context, hostSecret),
      handle: async () => ({ body: { items: await agent.effects.gap() } }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/admin/effect-gap',
      name: 'acceptEffectGap',
      summary: 'Takes those effects over, as a person on the host who has looked at them. For the command line on the host only.',
      access: 'token',
      body: z.strictObject({ reason: textSchema(500, 1) }),
      answers: { 200: { words: 'What was taken over; it is recorded in the audit log.', schema: effectsSchema } },
      problems: ['no-token', 'invalid-parameters'],
      admit: (context) => demandHost(context, hostSecret),
      handle: async ({ body }) => ({ body: { items: await agent.effects.accept(body.reason) } }),
    }),
  ]
}

/** By the operator on the host, alone. @throws Refusal admin-exists, nothing-to-change when the account is somebody else's */
export async function enrolFirst(
  power: Agent['power'],
  { person, name, link }: z.infer<typeof firstAdminSchema>,
): Promise<z.infer<typeof enrolledSchema>> {
  await power.enrolFirst({ id: person, name: name ?? person, link })
  return { person }
}

/** By the operator on the host, alone. @throws Refusal invalid-parameters when that is not stopped */
export async function startAgain(control: Agent['control'], word: string | undefined): Promise<z.infer<typeof startedSchema>> {
  const stopped = await control.stopped()
  const scope = startScope(
    word,
    stopped.map((each) => each.scope),
  )
  const { started } = await control.start(scope, 'host', 'host')
  return { scope, started }
}
