import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openInMemory } from '../../faults/sequences/open-worlds.ts'
import { runBatch, runSequences } from '../../faults/sequences/run-sequences.ts'
import { stepSchema } from '../../faults/sequences/steps.ts'
import type { World } from '../../faults/sequences/world.ts'

const SEQUENCES = 30
const SEED = 1
const TIMEOUT_MS = 300_000

const fixture = z.strictObject({ was: z.string().min(1), steps: z.array(stepSchema) })
const FIXTURES = join(import.meta.dirname, '../../faults/sequences/fixtures')
const traces = readdirSync(FIXTURES).map((file) => ({ file, ...fixture.parse(JSON.parse(readFileSync(join(FIXTURES, file), 'utf8'))) }))

let opened: { world: World; close(): Promise<void> } | null = null
beforeAll(async () => {
  opened = await openInMemory()
}, TIMEOUT_MS)
afterAll(async () => await opened?.close())
const world = (): World => {
  if (!opened) throw new Error('the world is there only while a test runs')
  return opened.world
}

test.each(traces)('$file: $was', async ({ steps }) => {
  expect(await runBatch(world(), [steps])).toBeNull()
})

test('a restored backup ends with the journal ahead', async () => {
  const { steps } = traces.find(({ file }) => file === 'backup-behind-a-send.json') ?? { steps: [] }
  const tally = { steps: 0, sent: 0, journalAhead: 0, endings: new Map<string, number>() }
  expect(await runBatch(world(), [steps], tally)).toBeNull()
  expect(tally).toMatchObject({ sent: 1, journalAhead: 1 })
})

test('random sequences end as the model says', { timeout: TIMEOUT_MS }, async () => {
  const report = await runSequences([world()], { sequences: SEQUENCES, seed: SEED })
  expect(report.violation).toBeNull()
  expect(report.sent).toBeGreaterThan(0)
})

test('a kernel that forgets to look at the kill switch is noticed, and the trace is short', { timeout: TIMEOUT_MS }, async () => {
  const broken = await openInMemory()
  onTestFinished(broken.close)
  const { db } = broken.world.kernel
  const { rows } = await sql<{ source: string }>`select pg_get_functiondef('refusal_to_act'::regproc) as source`.execute(db)
  const source = rows[0]?.source ?? ''
  expect(source).toContain("if stopped(p.environment, p.action_kind) then return 'kill-switch'; end if;")
  await sql.raw(source.replace("return 'kill-switch';", 'null;')).execute(db)
  const { violation } = await runSequences([broken.world], { sequences: 2_000, seed: SEED })
  expect(violation?.words).toMatch(/expected refused kill-switch/)
  expect(violation?.steps.length).toBeLessThan(8)
})
