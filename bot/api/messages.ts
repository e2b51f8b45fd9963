import type { ConsoleMessages } from '../console/surface.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { listOf } from './lists.ts'
import { messageSchema } from './shapes.ts'

const SHOWN = 50

export function messageEndpoints({ messages }: { messages: Pick<ConsoleMessages, 'general'> }): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/messages',
      name: 'listMessages',
      summary: 'What was said to everybody: stops, freezes, and what somebody has to look at. The newest fifty, newest first.',
      access: 'caller',
      answers: { 200: { words: 'The messages.', schema: listOf(messageSchema) } },
      async handle() {
        const said = await messages.general('console', SHOWN)
        return {
          body: { items: said.map(({ kind, ref, text, blocks, at }) => ({ kind, ref, text, blocks, at: at.toISOString() })), next: null },
        }
      },
    }),
  ]
}
