import type { Surface } from '../agent/domain/principal.ts'
import type { Executor } from './schema.ts'

/** One thing said on a surface. */
export interface SaidMessage {
  id: number
  incidentId: string | null
  kind: string
  ref: string
  text: string
  /** As the surface shows it; Block Kit for the console. */
  blocks: Record<string, unknown>[]
  at: Date
}

export type NewMessage = Omit<SaidMessage, 'id' | 'at'>

/** What was said, surface by surface; nothing is said twice. */
export interface MessageStore {
  /** False when a message of this kind and ref was said before; then nothing is changed. */
  say(surface: Surface, message: NewMessage): Promise<boolean>
  /** The messages of one incident, oldest first: the newest `limit` of them. */
  thread(surface: Surface, incidentId: string, limit: number): Promise<SaidMessage[]>
  /** Messages that belong to no incident, newest first. */
  general(surface: Surface, limit: number): Promise<SaidMessage[]>
}

export function createMessageStore({ db }: { db: Executor }): MessageStore {
  const newest = (surface: Surface, limit: number) =>
    db
      .selectFrom('surface_message')
      .select(['id', 'incident_id as incidentId', 'kind', 'ref', 'text', 'blocks', 'at'])
      .where('surface', '=', surface)
      .orderBy('id', 'desc')
      .limit(limit)
  return {
    async say(surface, { incidentId, kind, ref, text, blocks }) {
      const said = await db
        .insertInto('surface_message')
        .values({ surface, incident_id: incidentId, kind, ref, text, blocks: JSON.stringify(blocks) })
        .onConflict((conflict) => conflict.constraint('surface_message_said_once').doNothing())
        .returning('id')
        .executeTakeFirst()
      return said !== undefined
    },
    async thread(surface, incidentId, limit) {
      const rows = await newest(surface, limit).where('incident_id', '=', incidentId).execute()
      return rows.reverse()
    },
    async general(surface, limit) {
      return await newest(surface, limit).where('incident_id', 'is', null).execute()
    },
  }
}
