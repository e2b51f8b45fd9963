import { z } from 'zod'
import type { CommandContext } from '../commands/command.ts'
import { runCommand } from '../commands.ts'
import type { Card } from '../messages/card.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { blocksSchema, incidentIdSchema } from './shapes.ts'
import { textSchema } from './text.ts'

export interface CommandApiDeps {
  agent: CommandContext['agent']
  now: () => Date
  consoleUrl: () => string | null
  /** A card as Block Kit. */
  render(card: Card): { text: string; blocks: Record<string, unknown>[] }
}

export function commandEndpoints({ agent, now, consoleUrl, render }: CommandApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/api/v1/commands',
      name: 'runCommand',
      summary: 'What the same words answer this person in chat; `incident` is the one whose thread they are typed in.',
      access: 'caller',
      body: z.strictObject({ text: textSchema(2_000), incident: incidentIdSchema.nullish() }),
      answers: {
        200: {
          words: 'The answer, also when it is a "no": then `refusal` is its code.',
          schema: z.object({ text: z.string(), blocks: blocksSchema, refusal: z.string().nullable() }),
        },
      },
      async handle({ body, caller }) {
        const context = { agent, caller, incident: body.incident ?? null, now: now(), consoleUrl: consoleUrl() }
        const card = await runCommand(body.text, context)
        return { body: { ...render(card), refusal: card.refusal ?? null } }
      },
    }),
  ]
}
