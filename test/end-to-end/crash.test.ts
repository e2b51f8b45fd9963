import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  approvalThat,
  askedBy,
  auditViolations,
  cardWords,
  readApproval,
  readIncident,
  runEnded,
  startDrill,
  vote,
} from '../support/live/drill.ts'
import { install, migratedData } from '../support/live/product.ts'
import { childrenOf, effectsOnShop, isRunning } from '../support/live/shop-state.ts'
import { until } from '../support/live/until.ts'

const MINUTES = 60_000
/** Each has an installation of its own, and mostly waits. */
const ALONGSIDE = { concurrent: true, timeout: 6 * MINUTES }

let fresh: Awaited<ReturnType<typeof migratedData>>
beforeAll(async () => {
  fresh = await migratedData()
}, 3 * MINUTES)
afterAll(() => fresh.remove())

test('killed while an approval is pending: it is pending after the restart, and the click still counts', ALONGSIDE, async (context) => {
  const here = install(context, fresh)
  const first = await here.start()
  const run = await startDrill(first.client, 'bad-release')
  const asked = await askedBy(first.client, run)
  const shop = childrenOf(first.pid)
  const second = await here.run(['start'], { PORT: '0' })
  expect([second.code, second.last]).toEqual([1, expect.stringContaining(String(first.pid))])
  await first.killHard()
  await until('the services of the shop are gone', async () => !shop.some(isRunning), 10)

  const again = await here.start()
  const { expiresAt, digest } = await readApproval(again.client, asked.id)
  expect({ expiresAt, digest }).toEqual({ expiresAt: asked.expiresAt, digest: asked.digest })
  expect((await vote(await again.as('alice'), asked)).status).toBe(200)
  expect(await runEnded(again.client, run)).toMatchObject({ state: 'passed' })
  expect((await readApproval(again.client, asked.id)).execution?.outcome).toBe('verified')
  expect(await auditViolations(again.client)).toEqual([])
  expect(await again.stop()).toBe(0)
  expect(await effectsOnShop(join(here.folder, 'data'))).toMatchObject([{ kind: 'rollback', from: 'v42', to: 'v41' }])
})

test.for([
  ['after it was recorded as sent, before the journal', 'C11:1', 'failed', 'Not applied'],
  ['with the call made and no answer yet', 'C13:1', null, null],
  ['with the answer there and not recorded', 'C16:1', 'verified', 'Verified'],
] as const)('killed %s: settled truthfully, and nothing is sent again', ALONGSIDE, async ([, crash, outcome, words], context) => {
  const here = install(context, fresh)
  const first = await here.start({ STEADYHAND_TEST_CRASH: crash })
  const run = await startDrill(first.client, 'bad-release')
  const asked = await askedBy(first.client, run)
  const shop = childrenOf(first.pid)
  await vote(await first.as('alice'), asked).catch(() => null)
  expect(await first.ended).toBe(null)
  await until('the services of the shop are gone', async () => !shop.some(isRunning), 10)

  const { client, stop } = await here.start()
  const settled = await approvalThat(client, asked.id, 'is settled', ({ state }) => state === 'done')
  const { cards, thread } = await readIncident(client, settled.incident)
  expect(settled.execution?.events.filter(({ state }) => state === 'sent')).toHaveLength(1)
  expect(thread.map(({ text }) => text).join('\n')).toContain(settled.plan.action.title)
  if (outcome !== null) expect(settled.execution?.outcome).toBe(outcome)
  if (words !== null) expect(cardWords({ cards }, asked.id)).toContain(words)
  expect(await auditViolations(client)).toEqual([])
  expect(await stop()).toBe(0)
  const effects = await effectsOnShop(join(here.folder, 'data'))
  expect(effects).toHaveLength(settled.execution?.outcome === 'verified' ? 1 : 0)
})
