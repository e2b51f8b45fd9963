import { z } from 'zod'
import type { Agent, DrillRun } from '../../agent/agent.ts'
import { demand } from '../permissions.ts'
import { HttpProblem } from '../problem.ts'
import { startDrill } from '../start-drill.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { idSchema, listOf } from './lists.ts'
import { timeSchema } from './shapes.ts'
import { textSchema } from './text.ts'

export interface DrillApiDeps {
  agent: Pick<Agent, 'drills'>
}

export const scenarioSchema = z.object({ name: z.string(), title: z.string(), expects: z.enum(['action', 'no-action', 'undo']) })
const startSchema = z.strictObject({ name: textSchema(100, 1) })
export const runSchema = z.object({
  run: z.string(),
  name: z.string(),
  state: z.enum(['running', 'passed', 'failed']),
  incident: z.string().nullable(),
  approvals: z.array(z.string()),
  startedAt: timeSchema,
  /** The person who started it; null when it was a program, or nobody was signed in. */
  startedBy: z.string().nullable(),
  ended: timeSchema.nullable(),
  /** Why it failed, or how it passed. */
  words: z.string().nullable(),
})

export function drillEndpoints({ agent }: DrillApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/drills',
      name: 'listDrills',
      summary: 'Faults that can be put into the local target for practice, and what each expects.',
      access: 'caller',
      answers: {
        200: { words: 'All of them, and the run under way.', schema: listOf(scenarioSchema).extend({ running: runSchema.nullable() }) },
      },
      async handle() {
        const running = await agent.drills.current()
        const items = agent.drills.list().map(({ name, title, expects }) => ({ name, title, expects }))
        return { body: { items, next: null, running: running && showRun(running) } }
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/drills',
      name: 'startDrill',
      summary: 'Breaks the local target for real. It asks within 45 seconds and has ended 120 seconds after the last vote.',
      access: 'caller',
      body: startSchema,
      answers: { 202: { words: 'Begun.', schema: z.object({ run: z.string() }) } },
      problems: ['unknown-drill', 'drill-running', 'not-authorised'],
      async handle({ body, caller }) {
        if (caller.kind === 'person') demand(caller.person.roles, 'drill')
        return { status: 202, body: { run: (await startDrill(agent, body.name, caller)).run } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/drills/{id}',
      name: 'getDrill',
      summary: 'How a run of a drill goes.',
      access: 'caller',
      params: idSchema,
      answers: { 200: { words: 'The run.', schema: runSchema } },
      problems: ['unknown-run'],
      async handle({ params }) {
        const run = await agent.drills.run(params.id)
        if (!run) throw new HttpProblem('unknown-run')
        return { body: showRun(run) }
      },
    }),
  ]
}

function showRun(run: DrillRun): z.infer<typeof runSchema> {
  return { ...run, startedAt: run.startedAt.toISOString(), ended: run.ended?.toISOString() ?? null }
}
