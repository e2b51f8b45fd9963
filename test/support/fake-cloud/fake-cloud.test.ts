import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Action, Step } from '../../../integrations/ports/action.ts'
import { createCloudProvider, KINDS, rowOf, UNGUARDED } from './actions/provider.ts'
import { createCloudClient } from './client.ts'
import type { Behaviour } from './cloud.ts'
import { readLedger } from './ledger.ts'
import { type FakeCloud, startFakeCloud } from './start.ts'

describe('the fake cloud', { timeout: 30_000 }, () => {
  let folder: string
  let ledger: string
  let cloud: FakeCloud
  let name: string
  let count = 0
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'steadyhand-cloud-'))
    ledger = join(folder, 'ledger.jsonl')
    cloud = await startFakeCloud(ledger)
  })
  beforeEach(() => {
    count += 1
    name = `own-${count}`
  })
  afterAll(async () => {
    await cloud.kill()
    rmSync(folder, { recursive: true })
  })

  const stepFor = async (kind: string, action: Action): Promise<Step> => {
    const seen = await action.observe({ environment: 'fake', name })
    if (!seen) throw new Error('nothing there')
    const parameters = rowOf(kind).wanted(await createCloudClient(cloud.url).read(kind, name))
    return { planId: 'p', target: seen.target, parameters, preconditions: seen.preconditions }
  }
  const actionOf = (kind: string): Action => {
    const action = createCloudProvider(createCloudClient(cloud.url)).actions.find(({ definition }) => definition.kind === kind)
    if (!action) throw new Error(`no ${kind}`)
    return action
  }
  const carryOut = async (kind: string, behaviour: Behaviour) => {
    const action = actionOf(kind)
    const step = await stepFor(kind, action)
    await createCloudClient(cloud.url).expect(kind, name, [behaviour])
    const result = await action.effect(step, 'x', AbortSignal.timeout(5_000)).catch(() => ({ result: 'no answer' }))
    return { result: result.result, probe: async () => await actionOf(kind).probe(step, 'x', AbortSignal.timeout(5_000)), step }
  }
  const effects = (): number => readLedger(ledger).filter(({ line, call }) => line === 'applied' && call.name === name).length

  it.each(KINDS)('%s: done once, and seen by its probe', async (kind) => {
    const { result, probe } = await carryOut(kind, 'answer')
    expect([result, await probe(), effects()]).toEqual(['applied', 'applied', 1])
  })

  it('knows what it did after it was killed', async () => {
    const { probe } = await carryOut('k8s.scale', 'answer')
    await cloud.kill()
    cloud = await startFakeCloud(ledger)
    expect(await probe()).toBe('applied')
  })

  it.each(KINDS)('%s: a copy made by the network is a second effect only where the API guards nothing', async (kind) => {
    const { result, probe } = await carryOut(kind, 'twice-second-answer')
    expect([result, await probe(), effects()]).toEqual(['applied', 'applied', UNGUARDED.has(kind) ? 2 : 1])
  })

  it.each([
    ['lose-answer', 'no answer', 'applied', 1],
    ['fault-after', 'unknown', 'applied', 1],
    ['lose-call', 'no answer', 'not-applied', 0],
    ['refuse', 'refused', 'not-applied', 0],
    ['delay', 'applied', 'applied', 1],
  ] as const)('%s: the action says %s, the probe %s', async (behaviour, result, probed, count) => {
    const call = await carryOut('k8s.restart', behaviour)
    expect([call.result, await call.probe(), effects()]).toEqual([result, probed, count])
  })

  it('applies late what it accepted, when its clock gets there, also after it was killed', async () => {
    const { result, probe } = await carryOut('rds.failover', 'late:300')
    expect([result, await probe(), effects()]).toEqual(['no answer', 'not-applied', 0])
    await cloud.kill()
    cloud = await startFakeCloud(ledger)
    await createCloudClient(cloud.url).setClock(200)
    expect(await probe()).toBe('not-applied')
    await createCloudClient(cloud.url).setClock(301)
    expect([await probe(), effects()]).toEqual(['applied', 1])
  })

  it('refuses a second change of what the plan saw', async () => {
    const { step } = await carryOut('k8s.rollback', 'answer')
    expect(await actionOf('k8s.rollback').effect(step, 'y', AbortSignal.timeout(5_000))).toMatchObject({
      result: 'refused',
      reason: 'stale-target',
    })
    expect(effects()).toBe(1)
  })
})
