import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/** Small facts that survive a restart, by key; a value is JSON, at most 64 KiB. The reader checks what it gets. */
export interface AppMeta {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  remove(key: string): Promise<void>
}

const VALUE_BYTES = 64 * 1024

export function createAppMeta({ db }: { db: Kysely<Database> }): AppMeta {
  return {
    async get(key) {
      const { rows } = await sql<{ value: unknown }>`select value from app_meta where key = ${key}`.execute(db)
      return rows[0]?.value ?? null
    },
    async set(key, value) {
      const text = JSON.stringify(value ?? null)
      if (Buffer.byteLength(text) > VALUE_BYTES) throw new RangeError(`the value of ${key} is larger than ${VALUE_BYTES} bytes`)
      await sql`
        insert into app_meta (key, value) values (${key}, ${text}::jsonb)
        on conflict (key) do update set value = excluded.value, updated_at = clk()`.execute(db)
    },
    async remove(key) {
      await sql`delete from app_meta where key = ${key}`.execute(db)
    },
  }
}
