import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createDesiredState } from '../../../integrations/local/desired-state.ts'
import {
  changeWorkload,
  freshState,
  previousVersionOf,
  restoredState,
  type TargetState,
  targetStateSchema,
  versionOf,
  workloadOf,
} from '../../../integrations/local/target-state.ts'
import { scriptedDeps } from './scripted-deps.ts'

const AT = new Date('2026-03-14T02:10:00.000Z')
const origin = (executionId: string | null = null) => ({ id: randomUUID(), at: AT, by: 'somebody', executionId })
const fresh = (): TargetState => freshState(AT, randomUUID)

test('a release has a way back, and going back leaves none', () => {
  const released = changeWorkload(fresh(), 'payments', { kind: 'release', version: 'v42' }, origin())
  expect([versionOf(workloadOf(released, 'payments')), previousVersionOf(workloadOf(released, 'payments'))]).toEqual(['v42', 'v41'])
  const back = changeWorkload(released, 'payments', { kind: 'rollback', version: 'v41' }, origin())
  expect([versionOf(workloadOf(back, 'payments')), previousVersionOf(workloadOf(back, 'payments'))]).toEqual(['v41', null])
  const forward = changeWorkload(back, 'payments', { kind: 'rollback', version: 'v42' }, origin())
  expect(previousVersionOf(workloadOf(forward, 'payments'))).toBe('v41')
  expect(forward.changes.map(({ summary }) => summary)).toEqual([
    'payments went from v41 to v42',
    'payments was taken from v42 to v41',
    'payments was taken from v41 to v42',
  ])
})

test('scaling replaces no process, a restart and a release do', () => {
  const before = workloadOf(fresh(), 'checkout')
  const scaled = workloadOf(changeWorkload(fresh(), 'checkout', { kind: 'scale', replicas: 3 }, origin()), 'checkout')
  expect(scaled).toMatchObject({ replicas: 3, revision: before.revision, generation: before.generation + 1 })
  const restarted = workloadOf(changeWorkload(fresh(), 'checkout', { kind: 'restart' }, origin()), 'checkout')
  expect(restarted).toMatchObject({ revision: before.revision + 1, generation: before.generation + 1 })
})

test('restoring puts back versions, replicas and faults, and keeps the uids', () => {
  const begun = fresh()
  let broken = changeWorkload(begun, 'payments', { kind: 'release', version: 'v42' }, origin())
  broken = changeWorkload(broken, 'storefront', { kind: 'scale', replicas: 4 }, origin())
  const inventory = workloadOf(broken, 'inventory')
  broken = { ...broken, taxRates: 'emptied', workloads: { ...broken.workloads, inventory: { ...inventory, leakingRevision: 1 } } }
  const restored = restoredState(broken, { id: 'r', at: AT, by: 'drill' })
  expect(restored.taxRates).toBe('good')
  for (const [name, workload] of Object.entries(restored.workloads)) {
    expect(workload).toMatchObject({
      uid: workloadOf(begun, name).uid,
      history: workloadOf(begun, name).history,
      replicas: 1,
      leakingRevision: null,
    })
  }
  const revisions = Object.fromEntries(Object.entries(restored.workloads).map(([name, { revision }]) => [name, revision]))
  expect(revisions).toEqual({ storefront: 1, checkout: 1, payments: 3, inventory: 2, outside: 1 })
})

test('the state stays within the size of a row, whatever happens to the shop', () => {
  let state = fresh()
  for (let i = 0; i < 300; i++) {
    for (const service of ['storefront', 'checkout', 'payments', 'inventory']) {
      state = changeWorkload(state, service, { kind: 'release', version: `v${i + 100}` }, origin(randomUUID()))
    }
  }
  expect(targetStateSchema.safeParse(state).success).toBe(true)
  expect(JSON.stringify(state).length).toBeLessThan(60_000)
})

test('changes wait for each other, and one that cannot be saved leaves the state as it was', async () => {
  const deps = scriptedDeps()
  const state = createDesiredState(deps, randomUUID)
  await state.open()
  const scale = (by: number) => (before: TargetState) =>
    changeWorkload(before, 'payments', { kind: 'scale', replicas: workloadOf(before, 'payments').replicas + by }, origin())
  await Promise.all([state.update(scale(1)), state.update(scale(1))])
  expect(workloadOf(state.current(), 'payments').replicas).toBe(3)
  const { save } = deps.memory
  deps.memory.save = async () => Promise.reject(new Error('disk full'))
  await expect(state.update(scale(1))).rejects.toThrow('disk full')
  expect(workloadOf(state.current(), 'payments').replicas).toBe(3)
  deps.memory.save = save
  await state.update(scale(-1))
  const again = createDesiredState(deps, randomUUID)
  await again.open()
  expect(again.current()).toEqual(state.current())
})

test('a stored state of another shape is not guessed at', async () => {
  const deps = scriptedDeps()
  deps.rows.set('local/target', { schema: 7, workloads: 'none' })
  const state = createDesiredState(deps, randomUUID)
  await state.open()
  expect(versionOf(workloadOf(state.current(), 'payments'))).toBe('v41')
  expect(deps.warnings).toEqual(['the stored state of the local target is of another shape; it starts afresh'])
})
