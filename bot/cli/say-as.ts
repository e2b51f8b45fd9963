import { z } from 'zod'
import type { Settings } from '../config.ts'
import { RefusedCall } from './api-client.ts'
import { CommandFailed } from './failure.ts'
import { runningServer } from './server-at.ts'

const answerSchema = z.object({ text: z.string(), refusal: z.string().nullable() })

/** As `say`, for what only a person can say. @throws CommandFailed when nobody was named, too */
export async function sayAs(settings: () => Settings, as: string | boolean | undefined, words: readonly string[]): Promise<string> {
  if (typeof as !== 'string') throw new CommandFailed('Say as whom: the host asks and confirms nothing. Add --as NAME.', 2)
  return await say(settings, as, words)
}

/**
 * Says a chat command to the server that runs with these settings, as one of its named people or, when that is null, as a program with its widest key,
 * and returns the answer.
 *
 * @throws CommandFailed when no server runs, people cannot be signed in by name there, or it was refused
 */
export async function say(settings: () => Settings, as: string | null, words: readonly string[]): Promise<string> {
  const server = await runningServer(settings())
  if (server === null) throw new CommandFailed('No server runs with these settings: "steadyhand start" starts one.')
  try {
    const caller = as === null ? server : await server.signIn(as)
    const text = words.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')
    const answer = await caller.call('POST', '/api/v1/commands', answerSchema, { text })
    if (answer.refusal !== null) throw new CommandFailed(answer.text)
    return answer.text
  } catch (error) {
    if (error instanceof RefusedCall) throw new CommandFailed(error.message)
    throw error
  }
}
