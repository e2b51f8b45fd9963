import { z } from 'zod'
import type { Unread } from '../ports/unread.ts'
import { CERTIFICATE_OF, findService, JOB_OF, JOURNAL_OF, MAX_REPLICAS, OUTSIDE, PROGRAMS, type ShopService } from './catalogue.ts'
import { type Equipment, equipmentSchema, freshEquipment, restoredEquipment } from './equipment.ts'
import type { Conditions } from './shop/messages.ts'

const MAX_CHANGES = 100
const MAX_EXECUTIONS = 50
const MAX_HISTORY = 10

const versionSchema = z.string().regex(/^v\d{1,4}$/)

const workloadSchema = z.strictObject({
  uid: z.uuid(),
  /** Versions in the order they were released; the last one is what should run, the one before it is the way back. */
  history: z.array(versionSchema).min(1).max(MAX_HISTORY),
  replicas: z.int().min(1).max(MAX_REPLICAS),
  /** Grows with every change of what should run. */
  generation: z.int().min(1),
  /** Grows when the processes have to be replaced: a process of an older revision is retired. */
  revision: z.int().min(1),
  /** The revision whose processes leak, or null. A new revision starts clean. */
  leakingRevision: z.int().nullable(),
  /** Executions that changed this workload, so that none is carried out twice and a probe can tell. */
  executions: z.array(z.string().max(100)).max(MAX_EXECUTIONS),
})
export type WorkloadState = z.infer<typeof workloadSchema>

const changeSchema = z.strictObject({
  id: z.string(),
  at: z.iso.datetime(),
  kind: z.enum(['release', 'rollback', 'scale', 'restart', 'other']),
  service: z.string(),
  summary: z.string(),
  by: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
})
export type StoredChange = z.infer<typeof changeSchema>

/** What is in the file of tax rates that checkout reads: whole, cut off in the middle of a rewrite, or without a single rate. */
export const TAX_RATES = ['good', 'truncated', 'emptied'] as const
export type TaxRates = (typeof TAX_RATES)[number]

/** Whether the bank answers, and how many people come: the world outside, which the shop cannot change. */
export const worldSchema = z.strictObject({ bank: z.enum(['up', 'down']), crowd: z.enum(['usual', 'large']) })
const USUAL_WORLD: z.infer<typeof worldSchema> = { bank: 'up', crowd: 'usual' }

/** Everything about the target that has to survive a crash of its supervisor. */
export const targetStateSchema = z.strictObject({
  schema: z.literal(1),
  workloads: z.record(z.string(), workloadSchema),
  taxRates: z.enum(TAX_RATES),
  world: worldSchema,
  equipment: equipmentSchema,
  changes: z.array(changeSchema).max(MAX_CHANGES),
  /** The scenario that is in place. */
  drill: z.string().nullable(),
  /** While a scenario is in place, nothing from before this moment is shown: what earlier drills left behind is not evidence. */
  freshSince: z.iso.datetime(),
})
export type TargetState = z.infer<typeof targetStateSchema>

/** A fresh shop: first versions, one process each, no faults. */
export function freshState(at: Date, newId: () => string): TargetState {
  const workloads = Object.fromEntries(PROGRAMS.map((service) => [service.name, freshWorkload(service, newId())]))
  return {
    schema: 1,
    workloads,
    taxRates: 'good',
    world: USUAL_WORLD,
    equipment: freshEquipment(at),
    changes: [],
    drill: null,
    freshSince: at.toISOString(),
  }
}

function freshWorkload(service: ShopService, uid: string): WorkloadState {
  return { uid, history: [service.versions[0]], replicas: 1, generation: 1, revision: 1, leakingRevision: null, executions: [] }
}

/** @throws RangeError for a name the shop does not have; callers look it up in the catalogue first. */
export function workloadOf(state: TargetState, service: string): WorkloadState {
  const workload = state.workloads[service]
  if (!workload) throw new RangeError(`the shop has no service ${service}`)
  return workload
}

export function versionOf(workload: WorkloadState): string {
  return workload.history.at(-1) ?? ''
}

export function previousVersionOf(workload: WorkloadState): string | null {
  return workload.history.at(-2) ?? null
}

export function isKnownVersion(service: string, version: string): boolean {
  return findService(service)?.versions.includes(version) ?? false
}

/** One change of a workload, as it is asked for: absolute values. */
export interface WorkloadChange {
  kind: Exclude<StoredChange['kind'], 'other'>
  version?: string
  replicas?: number
}

/** Who changed it, when, and by which execution; `id` names the change. */
export interface ChangeOrigin {
  id: string
  at: Date
  by: string
  executionId: string | null
}

/** What should run after the change. Replaces the processes for a new version or a restart, never for another number of them. */
export function changeWorkload(state: TargetState, service: string, change: WorkloadChange, origin: ChangeOrigin): TargetState {
  const before = workloadOf(state, service)
  const after: WorkloadState = {
    ...before,
    history: change.version ? historyWith(before.history, change.version) : before.history,
    replicas: change.replicas ?? before.replicas,
    generation: before.generation + 1,
    revision: change.kind === 'scale' ? before.revision : before.revision + 1,
    executions: origin.executionId ? [...before.executions, origin.executionId].slice(-MAX_EXECUTIONS) : before.executions,
  }
  const changes = [...state.changes, describeChange(service, change, before, after, origin)].slice(-MAX_CHANGES)
  return { ...state, workloads: { ...state.workloads, [service]: after }, changes }
}

/** A change of what a service works with; its processes stay as they are. */
export interface EquipmentChange {
  /** One sentence for the list of changes. */
  summary: string
  change(equipment: Equipment): Equipment
}

export function changeEquipment(
  state: TargetState,
  service: string,
  { summary, change }: EquipmentChange,
  origin: ChangeOrigin,
): TargetState {
  const workload = workloadOf(state, service)
  const executions = origin.executionId ? [...workload.executions, origin.executionId].slice(-MAX_EXECUTIONS) : workload.executions
  const told: StoredChange = {
    id: origin.id,
    at: origin.at.toISOString(),
    kind: 'other',
    service,
    summary,
    by: origin.by,
    from: null,
    to: null,
  }
  return {
    ...state,
    equipment: change(state.equipment),
    workloads: { ...state.workloads, [service]: { ...workload, executions } },
    changes: [...state.changes, told].slice(-MAX_CHANGES),
  }
}

/** Going back cuts the history there, so that the version left behind is no longer offered as the way back. */
function historyWith(history: readonly string[], version: string): string[] {
  const known = history.lastIndexOf(version)
  return known >= 0 ? history.slice(0, known + 1) : [...history, version].slice(-MAX_HISTORY)
}

function describeChange(
  service: string,
  change: WorkloadChange,
  before: WorkloadState,
  after: WorkloadState,
  origin: ChangeOrigin,
): StoredChange {
  const base = { id: origin.id, at: origin.at.toISOString(), kind: change.kind, service, by: origin.by }
  if (change.kind === 'restart') return { ...base, summary: `${service} was restarted`, from: null, to: null }
  if (change.kind === 'scale') {
    const [from, to] = [String(before.replicas), String(after.replicas)]
    return { ...base, summary: `${service} was scaled from ${from} to ${to} replicas`, from, to }
  }
  const [from, to] = [versionOf(before), versionOf(after)]
  const verb = change.kind === 'rollback' ? 'was taken' : 'went'
  return { ...base, summary: `${service} ${verb} from ${from} to ${to}`, from, to }
}

/** Everything as in a fresh shop, with the same uids; what has to run anew gets a new revision. */
export function restoredState(state: TargetState, origin: Omit<ChangeOrigin, 'executionId'>): TargetState {
  let next: TargetState = {
    ...state,
    taxRates: 'good',
    world: USUAL_WORLD,
    equipment: restoredEquipment(state.equipment, origin.at),
  }
  for (const { name, versions } of PROGRAMS) {
    const workload = workloadOf(next, name)
    const from = { ...origin, id: `${origin.id}-${name}`, executionId: null }
    const leaks = workload.leakingRevision === workload.revision
    if (versionOf(workload) !== versions[0])
      next = changeWorkload(next, name, { kind: 'rollback', version: versions[0], replicas: 1 }, from)
    else if (leaks) next = changeWorkload(next, name, { kind: 'restart', replicas: 1 }, from)
    else if (workload.replicas !== 1) next = changeWorkload(next, name, { kind: 'scale', replicas: 1 }, from)
    next = {
      ...next,
      workloads: { ...next.workloads, [name]: { ...workloadOf(next, name), history: [versions[0]], leakingRevision: null } },
    }
  }
  return next
}

/** What the processes of one program are told about the world they run in. */
export function conditionsOf(state: TargetState, service: string): Conditions {
  const { certificates, journal, job } = state.equipment
  return {
    ...(service === OUTSIDE.name ? state.world : {}),
    ...(service === CERTIFICATE_OF ? { certificate: certificates.shown } : {}),
    ...(service === JOURNAL_OF ? { journal: journal.mode } : {}),
    ...(service === JOB_OF ? { job: { run: job.run, hangs: job.hungRun === job.run } } : {}),
  }
}

export const DRILL_BEGAN = 'a drill began then'

/** The moment before which nothing is shown; null when everything is. */
export function clipBefore(state: TargetState): Date | null {
  return state.drill ? new Date(state.freshSince) : null
}

/** The same for whoever asked for more than is shown. */
export function hiddenBefore(clip: Date | null, from: Date): { unread?: Unread } {
  return clip && clip > from ? { unread: { before: clip, why: DRILL_BEGAN } } : {}
}
