import { type DatabaseOptions, openDatabase } from '../../../storage/database.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'
import { createDatabase, startPostgres15 } from '../../support/peers.ts'
import { createWorld, type World } from './world.ts'

interface OpenWorld {
  world: World
  close(): Promise<void>
}

/** A kernel in memory, of its own. */
export async function openInMemory(): Promise<OpenWorld> {
  return await open({})
}

/** Kernels on PostgreSQL, each with a database and a connection of its own, because the clock that is put on belongs to the connection; or why there are none. */
export async function openOnPostgres(count: number): Promise<{ worlds: World[]; close(): Promise<void> } | { missing: string }> {
  const server = await startPostgres15()
  if ('missing' in server) return server
  const opened: OpenWorld[] = []
  for (let number = 0; number < count; number += 1) {
    const { url } = await createDatabase(server.url)
    opened.push(await open({ databaseUrl: url, limits: { connections: 1 } }))
  }
  return {
    worlds: opened.map(({ world }) => world),
    async close() {
      for (const one of opened) await one.close()
      await server.stop()
    },
  }
}

async function open(where: Partial<DatabaseOptions>): Promise<OpenWorld> {
  const database = await openDatabase({ dataDir: ':memory:', now: () => new Date(), ...where })
  await migrateToLatest(database.db)
  return { world: await createWorld(database, new Date()), close: database.close }
}
