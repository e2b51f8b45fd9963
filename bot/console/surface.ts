import { type Card, text } from '../messages/card.ts'
import { say } from '../messages/span.ts'
import type { Surface } from '../surface.ts'

/** Where the console keeps what was said. */
export interface ConsoleMessages {
  /** False when a message of this kind and ref was said before; then nothing is changed. */
  say(
    surface: 'console',
    message: { incidentId: string | null; kind: string; ref: string; text: string; blocks: Record<string, unknown>[] },
  ): Promise<boolean>
  /** The newest messages of an incident's thread, oldest first. */
  thread(surface: 'console', incidentId: string, limit: number): Promise<SaidMessage[]>
  /** The newest messages that belong to no incident, newest first. */
  general(surface: 'console', limit: number): Promise<SaidMessage[]>
}

export interface SaidMessage {
  kind: string
  ref: string
  text: string
  blocks: Record<string, unknown>[]
  at: Date
}

export interface ConsoleSurfaceDeps {
  messages: Pick<ConsoleMessages, 'say'>
  /** A card as Block Kit. */
  render(card: Card): { text: string; blocks: Record<string, unknown>[] }
}

/**
 * The local web chat. Its pages draw every card from the state itself as soon as an event says that it changed, so there is no card to keep;
 * what is said in a thread is kept as rows.
 */
export function createConsoleSurface({ messages, render }: ConsoleSurfaceDeps): Surface {
  return {
    name: 'console',
    refreshIncident: async () => {},
    refreshApproval: async () => {},
    async say({ ref, kind, incidentId, text: words }) {
      const card: Card = { kind: 'answer', ref: '', notification: words, blocks: [text(say`${words}`)] }
      const said = { ref, ...render(card) }
      // Whoever runs it finds all pages in one place; who looks after the incident reads it there as well.
      await messages.say('console', { ...said, kind, incidentId: kind === 'page' ? null : incidentId })
      if (kind === 'page' && incidentId !== null) await messages.say('console', { ...said, kind: 'notice', incidentId })
    },
  }
}
