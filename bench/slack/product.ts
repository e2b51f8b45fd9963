import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Pace } from '../../bot/slack/pace.ts'
import { openDatabase } from '../../storage/database.ts'
import { migrateToLatest } from '../../storage/migrate.ts'
import { installClock } from '../../test/faults/crash/clock.ts'
import { openEdge, type RunningEdge } from '../../test/support/edge/edge-harness.ts'
import { environmentOf } from '../../test/support/edge/slack-environment.ts'
import { type SlackServer, type SlackServerOptions, startSlackServer } from '../../test/support/slack/server.ts'
import type { Conversation } from '../../test/support/slack/world.ts'

/** Steadyhand with its files on disk, in a workspace where Alice may approve. */
export interface Product {
  readonly slack: SlackServer
  readonly running: RunningEdge
  readonly channel: Conversation
}

export interface ProductOptions {
  readonly pace: Pace
  readonly server?: SlackServerOptions
  /** How long a request may be decided on. */
  readonly ttlSeconds?: number
  /** A clock for everybody, the database included, that can be put on; that of this machine unless given. */
  readonly clock?: HarnessClock
}

/** Real time, and some seconds more. */
export interface HarnessClock {
  seconds: number
}

/** Runs `measure` against a product of its own, and takes everything away again. */
export async function withProduct<T>(
  { pace, server = {}, ttlSeconds = 600, clock }: ProductOptions,
  measure: (product: Product, putOn: (seconds: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const database = await openDatabase({ dataDir: join(folder, 'data'), now: () => new Date() })
  await migrateToLatest(database.db)
  if (clock) await installClock(database.db)
  const slack = await startSlackServer(server)
  const alice = slack.person('alice')
  const channel = slack.channel('incidents', [alice])
  const settings = join(folder, 'steadyhand.yaml')
  writeFileSync(settings, `slack: { channel: ${channel.id} }\n`)
  const link = { surface: 'slack' as const, tenant: slack.teamId, externalId: alice.id }
  const running = await openEdge(database, {
    environment: { ...environmentOf(slack, 'HTTP'), STEADYHAND_CONFIG: settings },
    people: [{ id: 'alice', name: 'Alice', roles: ['approver'], environments: null, links: [link] }],
    slackPace: pace,
    ttlSeconds,
    ...(clock ? { now: () => new Date(Date.now() + clock.seconds * 1_000) } : {}),
  })
  slack.sendTo(`${running.url}/slack/events`)
  try {
    return await measure({ slack, running, channel }, async (seconds) => {
      if (!clock) throw new Error('there is no clock that can be put on')
      clock.seconds += seconds
      await sql`update harness_clock set seconds = ${clock.seconds}`.execute(database.db)
    })
  } finally {
    await running.close()
    await slack.close()
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
