import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { collect } from '../../agent/investigation/collect.ts'
import { scopeOf } from '../../agent/investigation/scope.ts'
import type { Integration } from '../../integrations/contract.ts'
import { startControlPlane } from '../../test/support/kubernetes/control-plane.ts'
import { distribution, type Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { cacheMemory } from './cache-memory.ts'
import { openNamespaces } from './namespaces.ts'
import { incidentIn, openIntegration, readInventory } from './one-incident.ts'

const INCIDENT_PODS = 1_000
const SERVICES = 50
const CACHED_PODS = 10_000
const COLD_ROUNDS = 5
const WARM_ROUNDS = 50
/** Until the controllers have nothing left to write. */
const SETTLE_MS = 10_000

/**
 * On a real control plane (the cluster of KUBECONFIG, else one by up-kube.sh): how long all evidence of the platform for one incident takes in a
 * namespace of 1,000 pods, with nothing read before and with the watches up to date; and what the cache of 10,000 pods weighs.
 *
 * @throws Error in words where there is no control plane
 */
export async function run({ rounds }: BenchOptions): Promise<readonly Figure[]> {
  const plane = await startControlPlane()
  if ('missing' in plane) throw new Error(`this needs ${plane.missing}`)
  const id = randomUUID().slice(0, 8)
  const namespaces = openNamespaces(plane.kubeconfig)
  const [shop, large] = [`bench-shop-${id}`, `bench-large-${id}`]
  try {
    await namespaces.runServices(shop, { services: SERVICES, pods: INCIDENT_PODS })
    await pause(SETTLE_MS)
    const cold: number[] = []
    for (let round = 0; round < (rounds ?? COLD_ROUNDS); round += 1) cold.push(await coldRound(plane.kubeconfig, shop))
    const warm = await warmRounds(plane.kubeconfig, shop, rounds ?? WARM_ROUNDS)
    await namespaces.fill(large, CACHED_PODS)
    const memory = await cacheMemory(plane.kubeconfig, large, CACHED_PODS)
    return [
      distribution('evidence of one incident among 1,000 pods, cold', 'ms', cold),
      distribution('evidence of one incident among 1,000 pods, warm', 'ms', warm),
      { name: 'heap that the cache of 10,000 pods takes', value: memory.heapMb, unit: 'MB', n: 1 },
      { name: 'memory of a process with that cache', value: memory.rssMb, unit: 'MB', n: 1 },
    ]
  } finally {
    await namespaces.remove(shop, large)
    await plane.stop()
  }
}

/** Milliseconds from a start without any knowledge to the last answer, however often it is asked for. */
async function coldRound(kubeconfig: string, namespace: string): Promise<number> {
  const began = performance.now()
  const integration = openIntegration(kubeconfig, namespace)
  await integration.start()
  try {
    while (!(await isAnswered(integration)));
    return performance.now() - began
  } finally {
    await integration.stop()
  }
}

async function warmRounds(kubeconfig: string, namespace: string, rounds: number): Promise<number[]> {
  const integration = openIntegration(kubeconfig, namespace)
  await integration.start()
  try {
    while (!(await isAnswered(integration)));
    const times: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now()
      if (!(await isAnswered(integration))) throw new Error('a question was not answered that was answered before')
      times.push(performance.now() - began)
    }
    return times
  } finally {
    await integration.stop()
  }
}

/** Asks as an investigation does, with its deadline: false when any question stayed without an answer. */
async function isAnswered(integration: Integration): Promise<boolean> {
  const now = new Date()
  const inventory = await readInventory(integration)
  if (inventory === null) return false
  const log = { warn: (_: object, words: string) => console.error(words) }
  const deps = { sources: [integration], log, signal: new AbortController().signal }
  const { evidence } = await collect(scopeOf(incidentIn(now), [], inventory, now), deps)
  return evidence.length > 0 && evidence.every(({ status }) => status === 'ok' || status === 'empty')
}
