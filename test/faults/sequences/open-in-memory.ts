import { openDatabase } from '../../../storage/database.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'
import { createWorld, type World } from './world.ts'

/** A kernel in memory, of its own. */
export async function openInMemory(): Promise<{ world: World; close(): Promise<void> }> {
  const database = await openDatabase({ dataDir: ':memory:', now: () => new Date() })
  await migrateToLatest(database.db)
  return { world: await createWorld(database, new Date()), close: database.close }
}
