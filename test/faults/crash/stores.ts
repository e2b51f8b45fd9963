import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openDatabase } from '../../../storage/database.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'
import { startFakeCloud } from '../../support/fake-cloud/start.ts'
import { createDatabase, startPostgres15 } from '../../support/peers.ts'
import type { WorkerPlace } from './messages.ts'
import { seedWorld } from './world.ts'

export type StoreKind = 'pglite' | 'postgres'

/** Places of one store, each new and like the other. */
export interface Places {
  kind: StoreKind
  /** A database of its own with a cloud, a journal and a memory of its own. */
  open(): Promise<OpenPlace>
  close(): Promise<void>
}

export interface OpenPlace {
  place: WorkerPlace
  directory: string
  /** Kills the cloud and starts it again on its ledger. */
  restartCloud(): Promise<void>
  /** Ends the cloud and drops the database. The folder goes too, unless it is kept to be looked at. */
  close(keep?: boolean): Promise<void>
}

const now = (): Date => new Date()

async function openPlace(
  database: { dataDir: string; databaseUrl: string | null },
  directory: string,
  drop: () => Promise<void>,
): Promise<OpenPlace> {
  const ledger = join(directory, 'ledger.jsonl')
  writeFileSync(join(directory, 'acks.jsonl'), '')
  let cloud = await startFakeCloud(ledger)
  const place: WorkerPlace = { ...database, journalDir: directory, cloudUrl: cloud.url, ledger, acks: join(directory, 'acks.jsonl') }
  return {
    place,
    directory,
    async restartCloud() {
      await cloud.kill()
      cloud = await startFakeCloud(ledger)
      place.cloudUrl = cloud.url
    },
    async close(keep = false) {
      await cloud.kill()
      if (keep) return
      await drop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** PGlite in folders: one is migrated and seeded, the others are copies of it. */
export async function pglitePlaces(): Promise<Places> {
  const home = mkdtempSync(join(tmpdir(), 'steadyhand-crash-'))
  const template = join(home, 'template')
  const database = await openDatabase({ dataDir: template, now })
  await migrateToLatest(database.db)
  await seedWorld(database)
  await database.close()
  let count = 0
  return {
    kind: 'pglite',
    async open() {
      count += 1
      const directory = join(home, `place-${count}`)
      mkdirSync(directory)
      cpSync(template, join(directory, 'data'), { recursive: true })
      return await openPlace({ dataDir: join(directory, 'data'), databaseUrl: null }, directory, async () => {})
    },
    async close() {
      rmSync(template, { recursive: true, force: true })
      removeIfEmpty(home)
    },
  }
}

/** PostgreSQL: the server of DATABASE_URL or TEST_DATABASE_URL, else Debian's of this machine; null when there is none. */
export async function postgresPlaces(): Promise<Places | null> {
  const given = process.env['DATABASE_URL'] ?? process.env['TEST_DATABASE_URL']
  const peer = given ? { url: given, stop: async () => {} } : await startPostgres15()
  if ('missing' in peer) return null
  const home = mkdtempSync(join(tmpdir(), 'steadyhand-crash-'))
  const template = await createDatabase(peer.url)
  const database = await openDatabase({ dataDir: ':memory:', databaseUrl: template.url, now })
  await migrateToLatest(database.db)
  await seedWorld(database)
  await database.close()
  let count = 0
  return {
    kind: 'postgres',
    async open() {
      count += 1
      const directory = join(home, `place-${count}`)
      mkdirSync(directory)
      const copy = await copyDatabase(peer.url, template.url, `${databaseOf(template.url)}_${count}`)
      return await openPlace({ dataDir: ':memory:', databaseUrl: copy.url }, directory, copy.drop)
    },
    async close() {
      await template.drop()
      await peer.stop()
      removeIfEmpty(home)
    },
  }
}

/** What was kept to be looked at stays. */
function removeIfEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}

function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

async function copyDatabase(server: string, template: string, name: string): Promise<{ url: string; drop: () => Promise<void> }> {
  await query(server, `create database ${name} template ${databaseOf(template)}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: async () => await query(server, `drop database if exists ${name} with (force)`) }
}

async function query(server: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
