import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { type Endpoint, endpoint } from './endpoint.ts'

const serviceSchema = z.object({
  name: z.string(),
  environment: z.string(),
  version: z.string(),
  readyReplicas: z.int().min(0),
  desiredReplicas: z.int().min(0),
})

export function serviceEndpoints({ agent }: { agent: Pick<Agent, 'services'> }): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/services',
      name: 'listServices',
      summary: 'The services Steadyhand knows, and which calls which.',
      access: 'caller',
      answers: {
        200: {
          words: 'All of them, with the edges of the graph.',
          schema: z.object({
            items: z.array(serviceSchema),
            next: z.null(),
            edges: z.array(z.object({ from: z.string(), to: z.string() })),
          }),
        },
      },
      async handle() {
        const { items, edges } = await agent.services()
        return { body: { items, next: null, edges } }
      },
    }),
  ]
}
