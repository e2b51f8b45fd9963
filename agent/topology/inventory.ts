import type { OutsideParty, Workload, WorkloadsPort } from '../../integrations/ports/workloads.ts'
import { type Answer, askSource, type WarningLog } from '../investigation/ask-source.ts'
import { createDependencyGraph, type DependencyGraph, type Edge } from './dependency-graph.ts'

/** What runs where, as the platforms say: the only source of what may be named as a target. */
export interface Inventory {
  workloads: readonly Workload[]
  /** Of all environments: `within` has the calls of one. */
  graph: DependencyGraph
  /** Who of the graph is somebody else's. */
  outside: readonly OutsideParty[]
  /** What could not be read, in words; not empty means that a missing service may only be unseen. */
  missing: readonly string[]
  /** Set where somebody sees only so much: nothing is named that is in neither the workloads nor the graph. */
  bounded?: true
  /** Null before anything was read. */
  readAt: Date | null
}

export interface Topology {
  /** The inventory, at most a few seconds old; of a platform that cannot be read, what it said last. Never throws. */
  inventory(): Promise<Inventory>
}

export interface WorkloadSource {
  id: string
  /** Where the calls are that it knows of; left out: wherever these services are. */
  environments?: readonly string[]
  workloads: Pick<WorkloadsPort, 'list' | 'dependencies'>
}

const MAX_AGE_MS = 5_000
const DEADLINE_MS = 1_000

export function createTopology(deps: {
  sources: readonly WorkloadSource[]
  now: () => Date
  log: WarningLog
  deadlineMs?: number
}): Topology {
  let last: Inventory = { workloads: [], graph: createDependencyGraph([]), outside: [], missing: ['nothing was read yet'], readAt: null }
  let reading: Promise<Inventory> | null = null
  let known: readonly Known[] = deps.sources.map(() => ({ workloads: [], calls: { edges: [] } }))
  const read = async (): Promise<Inventory> => {
    const parts = await Promise.all(deps.sources.map((source) => readSource(source, deps.deadlineMs ?? DEADLINE_MS, deps.log)))
    // An outage of one platform's API must not make known services unknown, nor those of the others old. Several sources may have the same id.
    known = known.map((before, i) => knownNow(before, parts[i]))
    last = { ...merge(known), missing: parts.flatMap(failuresOf), readAt: deps.now() }
    return last
  }
  return {
    inventory: () => {
      const isFresh = last.readAt !== null && last.missing.length === 0 && deps.now().getTime() - last.readAt.getTime() < MAX_AGE_MS
      if (isFresh) return Promise.resolve(last)
      reading ??= read().finally(() => {
        reading = null
      })
      return reading
    },
  }
}

interface Part {
  id: string
  workloads: Answer<Workload[]>
  calls: Answer<Calls>
}

interface Calls extends Pick<Awaited<ReturnType<WorkloadsPort['dependencies']>>, 'outside'> {
  edges: readonly Edge[]
}

/** What a source said last, of each half. */
interface Known {
  workloads: readonly Workload[]
  calls: Calls
}

async function readSource({ id, environments, workloads }: WorkloadSource, deadlineMs: number, log: WarningLog): Promise<Part> {
  const signal = AbortSignal.timeout(deadlineMs)
  const [list, calls] = await Promise.all([
    askSource(() => workloads.list(signal), signal, log),
    askSource(async () => placed(await workloads.dependencies(signal), environments), signal, log),
  ])
  return { id, workloads: list, calls }
}

function placed({ edges, outside }: Calls, environments: readonly string[] | undefined): Calls {
  const calls = environments ? environments.flatMap((environment) => edges.map((edge) => ({ ...edge, environment }))) : edges
  return { edges: calls, ...(outside ? { outside } : {}) }
}

function knownNow(before: Known, part: Part | undefined): Known {
  return {
    workloads: part?.workloads.ok ? part.workloads.value : before.workloads,
    calls: part?.calls.ok ? part.calls.value : before.calls,
  }
}

function failuresOf({ id, workloads, calls }: Part): string[] {
  return [
    ...(workloads.ok ? [] : [`the services of ${id}: ${workloads.words}`]),
    ...(calls.ok ? [] : [`the call graph of ${id}: ${calls.words}`]),
  ]
}

function merge(known: readonly Known[]): Pick<Inventory, 'workloads' | 'graph' | 'outside'> {
  const outside = known.flatMap(({ calls }) => calls.outside ?? [])
  return {
    workloads: known.flatMap(({ workloads }) => workloads),
    graph: createDependencyGraph(
      known.flatMap(({ calls }) => calls.edges),
      outside.map(({ name }) => name),
    ),
    outside,
  }
}

/** Where an alert belongs, by the inventory alone; null when no, or more than one, service of the platform fits what it says. */
export function findWorkload(inventory: Inventory, said: { service: string; environment: string | null }): Workload | null {
  const name = said.service.trim().toLowerCase()
  const named = inventory.workloads.filter(({ service }) => service.toLowerCase() === name)
  const fitting = said.environment === null ? named : named.filter(({ environment }) => environment === said.environment)
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}
