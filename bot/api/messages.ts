import type { Agent } from '../../agent/agent.ts'
import type { ConsoleMessages } from '../console/surface.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { listOf } from './lists.ts'
import { messageSchema } from './shapes.ts'

const SHOWN = 50

export interface MessageApiDeps {
  messages: Pick<ConsoleMessages, 'general'>
  agent: Pick<Agent, 'sight'>
}

export function messageEndpoints({ messages, agent }: MessageApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/messages',
      name: 'listMessages',
      summary:
        'What was said to everybody: stops, freezes, and what somebody has to look at. The newest fifty, newest first; none for whoever sees only some workspaces.',
      access: 'caller',
      answers: { 200: { words: 'The messages.', schema: listOf(messageSchema) } },
      async handle() {
        // Their words name whatever they are about, also of incidents.
        const said = agent.sight.everything ? await messages.general('console', SHOWN) : []
        return {
          body: { items: said.map(({ kind, ref, text, blocks, at }) => ({ kind, ref, text, blocks, at: at.toISOString() })), next: null },
        }
      },
    }),
  ]
}
