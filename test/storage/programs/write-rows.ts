import { sql } from 'kysely'
import { openDatabase } from '../../../storage/database.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'

/*
 * Writes rows into the data directory named by its argument, and prints each number once its row is committed, until it is killed.
 */

const { db } = await openDatabase({ dataDir: process.argv[2] ?? '', now: () => new Date() })
await migrateToLatest(db)
const { rows } = await sql<{ next: number }>`select count(*) as next from app_meta`.execute(db)
for (let number = rows[0]?.next ?? 0; ; number += 1) {
  await sql`insert into app_meta (key, value) values (${`row-${number}`}, '1')`.execute(db)
  process.stdout.write(`${number}\n`)
}
