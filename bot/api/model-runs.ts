import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { HttpProblem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { idSchema, listOf } from './lists.ts'
import { modelUseSchema } from './shapes.ts'

const runSchema = z.object({
  number: z.int(),
  purpose: z.enum(['investigation', 'question']),
  use: modelUseSchema.nullable(),
  /** True where what was said is left out, because the caller does not see every kind of data that the model was told. */
  withheld: z.boolean(),
  steps: z.array(
    z.object({
      seq: z.int(),
      at: z.iso.datetime(),
      kind: z.string(),
      words: z.string(),
      texts: z.array(z.object({ name: z.string(), text: z.string() })),
      evidence: z.array(z.string()),
    }),
  ),
})

/** What models were told, said, asked and concluded in an incident. */
export function modelRunEndpoints({ agent }: { agent: Pick<Agent, 'modelTrace'> }): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/incidents/{id}/model-runs',
      name: 'listModelRuns',
      summary:
        'Every investigation of the incident by a model, oldest first, step by step: prompts, answers, questions, results, decisions.',
      access: 'caller',
      params: idSchema,
      answers: { 200: { words: 'All of them; there is no next page.', schema: listOf(runSchema) } },
      problems: ['unknown-incident'],
      async handle({ params }) {
        const runs = await agent.modelTrace(params.id)
        if (!runs) throw new HttpProblem('unknown-incident')
        const items = runs.map(({ number, purpose, use, withheld, steps }) => ({
          ...{ number, purpose, withheld, use: use && modelUseSchema.parse(use) },
          steps: steps.map((step) => ({ ...step, at: step.at.toISOString() })),
        }))
        return { body: { items, next: null } }
      },
    }),
  ]
}
