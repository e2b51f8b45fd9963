import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import type { LocalTarget } from '../../../integrations/local/index.ts'
import { actionOf, latest, never, startTarget, stepOn, stopTargets, until } from './started-target.ts'

afterEach(stopTargets)

function pidOf(target: LocalTarget, service: string): number {
  const pid = target.processes().find((process) => process.service === service)?.pid
  if (!pid) throw new Error(`${service} does not run`)
  return pid
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('the whole shop is up at once, serves traffic without errors, and goes down in order', async () => {
  const { target } = await startTarget()
  const workloads = await target.workloads.list()
  expect(workloads.map(({ service, version, readyReplicas }) => `${service} ${version} ${readyReplicas}`)).toEqual([
    'storefront v8 1',
    'checkout v17 1',
    'payments v41 1',
    'inventory v12 1',
  ])
  await until(
    'three seconds of traffic through all services',
    async () => (await latest(target, 'payments', 'request_rate', 10)).length >= 3,
  )
  for (const service of ['storefront', 'checkout', 'payments', 'inventory']) {
    const ratios = await latest(target, service, 'error_ratio', 10)
    expect(ratios.map(({ value }) => value)).toEqual(ratios.map(() => 0))
  }
  expect((await latest(target, 'storefront', 'request_rate', 3)).at(-1)?.value).toBeGreaterThan(15)
  const pids = target.processes().map(({ pid }) => pid ?? 0)
  expect(pids).toHaveLength(5)
  await target.stop()
  expect(pids.filter(isAlive)).toEqual([])
})

test('a trace goes through all services, and each line says who wrote it', async () => {
  const { target } = await startTarget()
  const read = async (service: string) =>
    (await target.logs.read({ service, from: new Date(0), to: new Date(), limit: 500, level: 'all' })).lines
  await until('a sale', async () => (await read('storefront')).some(({ text }) => text.startsWith('POST /buy 201')))
  const sale = (await read('storefront')).find(({ text }) => text.startsWith('POST /buy 201'))
  expect(sale?.traceId).toMatch(/^[0-9a-f]{32}$/)
  for (const [service, text] of [
    ['checkout', 'POST /orders 201'],
    ['inventory', 'POST /holds 201'],
    ['payments', 'POST /charges 201'],
  ] as const) {
    const line = (await read(service)).find(({ traceId }) => traceId === sale?.traceId)
    expect(line).toMatchObject({ level: 'info', text: expect.stringContaining(text), instance: expect.stringContaining(service) })
  }
})

test('a process that is killed comes back, and its exit is an event and a restart', async () => {
  const { target } = await startTarget()
  const before = pidOf(target, 'payments')
  process.kill(before, 'SIGKILL')
  await until('payments runs again', async () => {
    const workload = (await target.workloads.find('payments'))?.workload
    return workload?.restarts === 1 && workload.readyReplicas === 1
  })
  expect(pidOf(target, 'payments')).not.toBe(before)
  const events = (await target.workloads.find('payments'))?.workload.events.map(({ text }) => text) ?? []
  expect(events.some((text) => text.includes('was ended by SIGKILL'))).toBe(true)
  await until('the restart is in the metrics', async () => (await latest(target, 'payments', 'restarts', 3)).at(-1)?.value === 1)
})

test('new processes take over without a failed request: restarted, scaled up, scaled down', async () => {
  const { target, deps } = await startTarget()
  await until('traffic', async () => (await latest(target, 'payments', 'request_rate', 5)).length >= 2)
  const began = new Date()
  const runs: [string, string, Record<string, number>][] = [
    ['local.restart', 'payments', {}],
    ['local.restart', 'storefront', {}],
    ['local.scale', 'checkout', { replicas: 3 }],
    ['local.restart', 'checkout', {}],
    ['local.scale', 'checkout', { replicas: 1 }],
    ['local.restart', 'inventory', {}],
  ]
  for (const [index, [kind, service, parameters]] of runs.entries()) {
    const action = actionOf(target, kind)
    const step = await stepOn(action, service, parameters)
    expect(await action.effect(step, `x-${index}`, never)).toEqual({ result: 'applied' })
    await until(`${kind} of ${service}`, async () => {
      const { updatedReplicas, replicas } = await action.readState(step.target, ['updatedReplicas', 'replicas'])
      return updatedReplicas === replicas && target.processes().filter((process) => process.service === service).length === replicas
    })
  }
  await until('a scrape after the last one', () => deps.scraped.some(({ at }) => at.getTime() > Date.now() - 500))
  for (const service of ['storefront', 'checkout', 'payments', 'inventory']) {
    const errors = await target.logs.read({ service, from: began, to: new Date(), limit: 10, level: 'error' })
    expect(errors.lines).toEqual([])
    const points = await latest(target, service, 'error_ratio', (Date.now() - began.getTime()) / 1_000)
    expect(points.filter(({ value }) => value > 0)).toEqual([])
  }
  const changes = await target.changes.list({ services: 'all', from: began, to: new Date() })
  expect(changes.changes.map(({ summary }) => summary)).toEqual([
    'inventory was restarted',
    'checkout was scaled from 3 to 1 replicas',
    'checkout was restarted',
    'checkout was scaled from 1 to 3 replicas',
    'storefront was restarted',
    'payments was restarted',
  ])
  expect(changes.changes.every(({ by, at }) => by === 'steadyhand' && at >= began)).toBe(true)
})

test('no process outlives a supervisor that is killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'steadyhand-orphan-'))
  const parent = spawn(process.execPath, [join(import.meta.dirname, 'orphan-parent.ts'), dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pids = await new Promise<number[]>((resolve) =>
    createInterface({ input: parent.stdout }).once('line', (line) => resolve(JSON.parse(line) as number[])),
  )
  expect(pids).toHaveLength(5)
  expect(pids.every(isAlive)).toBe(true)
  parent.kill('SIGKILL')
  await until('all processes are gone', () => !pids.some(isAlive), 2)
  await rm(dir, { recursive: true, force: true })
})

test('the processes hold nothing of the environment of the supervisor', async () => {
  process.env['STEADYHAND_TEST_SECRET'] = 'do-not-lend'
  const { target } = await startTarget()
  delete process.env['STEADYHAND_TEST_SECRET']
  const environment = await readFile(`/proc/${pidOf(target, 'payments')}/environ`, 'utf8').catch(() => null)
  if (environment !== null) expect(environment).not.toContain('do-not-lend')
})

test('what is not ready is said in words, with what to do', async () => {
  const { target } = await startTarget()
  expect((await target.check()).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok'])
  await target.stop()
  const [storefront] = await target.check()
  expect(storefront).toMatchObject({ status: 'failed', words: expect.stringContaining('no process'), fix: expect.stringContaining('log') })
})
