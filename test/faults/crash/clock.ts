import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../storage/schema.ts'
import type { CloudControl } from '../../support/fake-cloud/client.ts'

/*
 * The one place where a harness bends time: minutes of waiting become a step of the clock. The database's `clk()`, everybody's `now` and the fake
 * cloud's clock are real time plus the same number of seconds, which only grows.
 */

/** Makes the database's clock one that can be put on; for databases that only a harness uses. */
export async function installClock(db: Kysely<Database>): Promise<void> {
  await sql`create table harness_clock (seconds double precision not null)`.execute(db)
  await sql`insert into harness_clock values (0)`.execute(db)
  await sql`create or replace function clk() returns timestamptz language sql volatile as
    'select clock_timestamp() + (select seconds from harness_clock) * interval ''1 second'''`.execute(db)
}

export interface TestClock {
  now: () => Date
  /** Seconds ahead of real time. */
  offset(): number
  /** Puts every clock on. The cloud's goes first: what is due there has happened when somebody asks for it. */
  jump(seconds: number): Promise<void>
  /** Follows a jump that another process made. */
  follow(offset: number): void
}

export async function readClock(db: Kysely<Database>, cloud: Pick<CloudControl, 'setClock'>): Promise<TestClock> {
  const { rows } = await sql<{ seconds: number }>`select seconds from harness_clock`.execute(db)
  let offset = rows[0]?.seconds ?? 0
  await cloud.setClock(offset)
  return {
    now: () => new Date(Date.now() + offset * 1_000),
    offset: () => offset,
    async jump(seconds) {
      const ahead = offset + seconds
      await cloud.setClock(ahead)
      await sql`update harness_clock set seconds = ${ahead}`.execute(db)
      offset = ahead
    },
    follow(ahead) {
      offset = ahead
    },
  }
}
