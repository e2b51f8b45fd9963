import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { HttpProblem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { idSchema } from './lists.ts'
import { evidenceSchema, showEvidence } from './shapes.ts'

const itemSchema = evidenceSchema.extend({ content: z.unknown() })

/** What was stored of one question, whole: where a number on a card comes from. */
export function evidenceEndpoints({ agent }: { agent: Pick<Agent, 'evidence'> }): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/incidents/{id}/evidence/{label}',
      name: 'getEvidence',
      summary: 'One stored result with its whole content, by the label that cards cite it with.',
      access: 'caller',
      params: idSchema.extend({ label: z.string().regex(/^E\d{1,9}$/) }),
      answers: { 200: { words: 'The result, and its content as it was stored.', schema: itemSchema } },
      problems: ['unknown-evidence'],
      async handle({ params }) {
        const item = await agent.evidence(params.id, params.label)
        if (!item) throw new HttpProblem('unknown-evidence')
        return { body: { ...showEvidence(item), content: item.content } }
      },
    }),
  ]
}
