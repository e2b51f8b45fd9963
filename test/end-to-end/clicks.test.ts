import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEFAULT_POLICY } from '../../agent/policy/default-policy.ts'
import type { Client } from '../support/edge/client.ts'
import {
  approvalThat,
  askedBy,
  auditViolations,
  cardWords,
  readApproval,
  readIncident,
  readRun,
  runEnded,
  startDrill,
  vote,
  type WireIncident,
} from '../support/live/drill.ts'
import { install, migratedData } from '../support/live/product.ts'
import { effectsOnShop } from '../support/live/shop-state.ts'
import { until } from '../support/live/until.ts'

const MINUTES = 60_000
/** Each has an installation of its own, and mostly waits. */
const ALONGSIDE = { concurrent: true, timeout: 6 * MINUTES }

let fresh: Awaited<ReturnType<typeof migratedData>>
beforeAll(async () => {
  fresh = await migratedData()
}, 3 * MINUTES)
afterAll(() => fresh.remove())

test('clicks by somebody who may not, of a stale card, and two at once: it runs once', ALONGSIDE, async (context) => {
  const here = install(context, fresh)
  const product = await here.start()
  const { client } = product
  const run = await startDrill(client, 'bad-release')
  const asked = await askedBy(client, run)
  const [alice, carol, bob] = await Promise.all([product.as('alice'), product.as('carol'), product.as('bob')])

  expect(await vote(client, asked)).toMatchObject({ status: 401, json: { code: 'no-person' } })
  expect(await vote(bob, asked)).toMatchObject({ status: 403, json: { code: 'not-authorised' } })
  expect(await vote(alice, { ...asked, digest: 'f'.repeat(64) })).toMatchObject({ status: 409, json: { code: 'stale-digest' } })
  expect((await readApproval(client, asked.id)).votes).toEqual([])

  const together = await Promise.all([alice, carol, alice].map(async (who) => await vote(who, asked)))
  expect(together.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  expect(together.filter(({ status }) => status === 409).map(({ json }) => json.code)).toEqual(expect.arrayContaining(['already-decided']))
  expect(await runEnded(client, run)).toMatchObject({ state: 'passed' })
  const done = await readApproval(client, asked.id)
  expect([done.votes.length, done.execution?.outcome]).toEqual([1, 'verified'])
  expect(await vote(carol, asked)).toMatchObject({ status: 409, json: { code: 'already-decided' } })
  expect(await auditViolations(client)).toEqual([])
  expect(await product.stop()).toBe(0)
  expect(await effectsOnShop(join(here.folder, 'data'))).toHaveLength(1)
})

test('a click after the time to decide is over runs nothing', ALONGSIDE, async (context) => {
  const here = install(context, { ...fresh, settings: { STEADYHAND_POLICY: 'policy.yaml' } })
  writeFileSync(join(here.folder, 'policy.yaml'), DEFAULT_POLICY.replaceAll('ttlMinutes: 15', 'ttlMinutes: 0.5'))
  const product = await here.start()
  const { client } = product
  const asked = await askedBy(client, await startDrill(client, 'bad-release'))
  const alice = await product.as('alice')
  await approvalThat(client, asked.id, 'expires', ({ state }) => state === 'expired')
  expect(await vote(alice, asked)).toMatchObject({ status: 409, json: { code: 'expired' } })
  expect(cardWords(await readIncident(client, asked.incident), asked.id)).toContain(
    'It was not approved and started in time. Nothing was run. “Check again”',
  )
  expect(await auditViolations(client)).toEqual([])
  expect(await product.stop()).toBe(0)
  expect(await effectsOnShop(join(here.folder, 'data'))).toEqual([])
})

test('what cannot be written down before it is done is not done', ALONGSIDE, async (context) => {
  const here = install(context, fresh)
  const product = await here.start()
  const { client } = product
  const asked = await askedBy(client, await startDrill(client, 'bad-release'))
  const journal = join(here.folder, 'data', 'effects.jsonl')
  rmSync(journal, { force: true })
  mkdirSync(journal)
  expect((await vote(await product.as('alice'), asked)).status).toBe(200)
  const { execution } = await approvalThat(client, asked.id, 'is settled', ({ state }) => state === 'done')
  expect([execution?.state, execution?.outcome]).toEqual(['failed', 'failed'])
  const words = cardWords(await readIncident(client, asked.incident), asked.id)
  expect(words).toContain('Not applied')
  expect(words).toContain('the effect journal could not be written')
  rmdirSync(journal)
  expect(await auditViolations(client)).toEqual([])
  expect(await product.stop()).toBe(0)
  expect(await effectsOnShop(join(here.folder, 'data'))).toEqual([])
})

test.for([
  ['a policy that cannot be read', { STEADYHAND_POLICY: 'nowhere.yaml' }, '', 'nowhere.yaml'],
  ['nobody who may approve', {}, 'people: [{ id: bob, name: Bob, roles: [responder] }]', 'nobody holds the approver role'],
] as const)('with %s it hears, explains, and asks for nothing', ALONGSIDE, async ([, settings, file, reason], context) => {
  const here = install(context, { ...fresh, settings })
  writeFileSync(join(here.folder, 'steadyhand.yaml'), file)
  const product = await here.start()
  const { client } = product
  expect((await client.get('/readyz')).json).toMatchObject({ mode: 'observe', reasons: [expect.stringContaining(reason)] })
  await until('it says so', async () => product.output().includes('observes only and runs nothing'), 20)
  const incident = await explained(client, await startDrill(client, 'bad-release'))
  expect(incident.hypotheses[0]).toMatchObject({ class: 'bad_release', component: 'service/payments' })
  expect(incident.timeline.map(({ text }) => text).join('\n')).toContain('Nothing is proposed.')
  expect((await client.get('/api/v1/approvals')).json.items).toEqual([])
  expect(await auditViolations(client)).toEqual([])
  expect(await product.stop()).toBe(0)
})

/** The incident of a run once it is known why nothing is proposed. */
async function explained(client: Client, run: string): Promise<WireIncident> {
  return await until(
    'the incident is explained',
    async () => {
      const { incident } = await readRun(client, run)
      const read = incident === null ? null : await readIncident(client, incident)
      return read?.timeline.some(({ kind }) => kind === 'nothing-proposed') ? read : null
    },
    90,
  )
}
