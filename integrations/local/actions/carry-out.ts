import type { Target } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, EffectResult, HandStep, Observation, Parameters, ProbeResult, Step } from '../../ports/action.ts'
import { CERTIFICATE_OF, ENVIRONMENT, findService, JOB_OF, JOURNAL_OF } from '../catalogue.ts'
import type { DesiredState } from '../desired-state.ts'
import { lastArchived } from '../equipment.ts'
import type { Supervisor } from '../supervisor.ts'
import {
  changeEquipment,
  changeWorkload,
  type EquipmentChange,
  previousVersionOf,
  type TargetState,
  versionOf,
  type WorkloadChange,
  workloadOf,
} from '../target-state.ts'

export interface ActionDeps {
  state: DesiredState
  supervisor: Supervisor
  now: () => Date
  newId: () => string
}

export type Fields = Record<string, string | number | boolean | null>

/** What the definitions of the local target have in common. */
export const COMMON_DEFINITION = {
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: true,
  stepUp: 'none',
  maxTtlSeconds: 1_800,
  minCooldownSeconds: 5,
  retry: 'precondition',
  probeHorizonSeconds: 2,
} as const satisfies Partial<ActionDefinition>

/** How every action of the local target looks at what it did. */
export function commonReads(deps: ActionDeps): Pick<Action, 'probeWords' | 'probe' | 'readState'> {
  return {
    probeWords: 'the service keeps the ids of the executions that changed it',
    probe: async (step, executionId) => probeExecution(deps, step, executionId),
    readState: async (target, fields) => readFields(deps, target, fields),
  }
}

/** The fields of a service that preconditions and state checks may name. */
export function fieldsOf(state: TargetState, supervisor: Supervisor, service: string): Fields {
  const workload = workloadOf(state, service)
  const observed = supervisor.observe(service)
  return {
    uid: workload.uid,
    version: versionOf(workload),
    previousVersion: previousVersionOf(workload),
    replicas: workload.replicas,
    generation: workload.generation,
    readyReplicas: observed?.ready ?? 0,
    /** Ready processes that are of the current version and were started since the latest restart. */
    updatedReplicas: observed?.updated ?? 0,
    restarts: observed?.restarts ?? 0,
    ...(service === CERTIFICATE_OF ? { certificate: state.equipment.certificates.shown } : {}),
    ...(service === JOURNAL_OF ? { lastArchived: lastArchived(state.equipment) } : {}),
    ...(service === JOB_OF ? { jobRun: state.equipment.job.run } : {}),
  }
}

/** The service as it is now, pinned by the named fields; null when there is no such service here. */
export function observeService(
  deps: ActionDeps,
  where: { environment: string; name: string },
  pinned: readonly string[],
): Observation | null {
  if (where.environment !== ENVIRONMENT || !findService(where.name)) return null
  const workload = workloadOf(deps.state.current(), where.name)
  const fields = fieldsOf(deps.state.current(), deps.supervisor, where.name)
  return {
    target: { provider: 'local', environment: ENVIRONMENT, kind: 'service', name: where.name, uid: workload.uid },
    preconditions: pinned.map((field) => ({ field, equals: fields[field] ?? null })),
    replicas: workload.replicas,
  }
}

export function readFields(deps: ActionDeps, target: Target, fields: readonly string[]): Fields {
  const known = findService(target.name) ? fieldsOf(deps.state.current(), deps.supervisor, target.name) : {}
  return Object.fromEntries(fields.map((field) => [field, known[field] ?? null]))
}

/** Fails a dry run whose target is not the one that runs. @throws IntegrationError `not_found` */
export function requireTarget(deps: ActionDeps, { target }: Step): void {
  const here = observeService(deps, target, [])
  if (!here) throw new IntegrationError('local', 'not_found', `there is no service ${target.name} in ${target.environment}`)
  if (here.target.uid !== target.uid)
    throw new IntegrationError('local', 'not_found', `${target.name} is not the service it was: its uid changed`)
}

/** What a step expects to find in a field, else what is there now. */
export function expectedField(deps: ActionDeps, step: Step, field: string): Fields[string] {
  const pinned = step.preconditions.find((precondition) => precondition.field === field)
  return pinned ? pinned.equals : (readFields(deps, step.target, [field])[field] ?? null)
}

/**
 * Changes what should run, once: compared with the preconditions and written in one step that nothing comes between. An execution that was
 * carried out before changes nothing again. The processes follow within a second or so; the success contract is what waits for them.
 */
export async function carryOut(
  deps: ActionDeps,
  step: Step,
  change: WorkloadChange | EquipmentChange,
  execution: { id: string; signal: AbortSignal },
): Promise<EffectResult> {
  const { name } = step.target
  if (!findService(name)) return { result: 'refused', reason: 'stale-target', words: `there is no service ${name} any more` }
  const stale: string[] = []
  try {
    await deps.state.update((state) => {
      execution.signal.throwIfAborted()
      if (workloadOf(state, name).executions.includes(execution.id)) return state
      stale.push(...staleFields(fieldsOf(state, deps.supervisor, name), step))
      if (stale.length > 0) return state
      const origin = { id: deps.newId(), at: deps.now(), by: 'steadyhand', executionId: execution.id }
      return 'kind' in change ? changeWorkload(state, name, change, origin) : changeEquipment(state, name, change, origin)
    })
  } catch (error) {
    // The write may have reached the store although its answer was lost: only a probe can tell.
    return {
      result: 'unknown',
      words: `the change of ${name} could not be confirmed: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
  return stale.length > 0 ? { result: 'refused', reason: 'stale-target', words: stale.join('; ') } : { result: 'applied' }
}

function staleFields(fields: Fields, { target, preconditions }: Step): string[] {
  return [{ field: 'uid', equals: target.uid }, ...preconditions].flatMap(({ field, equals }) =>
    fields[field] === equals ? [] : [`${field} of ${target.name} is ${fields[field] ?? 'unknown'}, not ${equals}`],
  )
}

/** Whether the execution left its mark on the service, by what is stored; while that cannot be read, nobody knows. */
async function probeExecution(deps: ActionDeps, { target }: Step, executionId: string): Promise<ProbeResult> {
  if (!findService(target.name)) return 'not-applied'
  try {
    return workloadOf(await deps.state.known(), target.name).executions.includes(executionId) ? 'applied' : 'not-applied'
  } catch {
    // It is asked again at the next look.
    return 'unknown'
  }
}

/** The service a hypothesis blames, when it is one of this target: 'service/payments' → 'payments'. */
export function blamedService(component: string, environment: string): string | null {
  const [kind, name] = component.split('/')
  return environment === ENVIRONMENT && (kind === 'service' || kind === 'app') && name && findService(name) ? name : null
}

/** A parameter that was validated as text, or '' when it is none. */
export function textOf(parameters: Parameters, name: string): string {
  const value = parameters[name]
  return typeof value === 'string' ? value : ''
}

export function numberOf(parameters: Parameters, name: string): number {
  const value = parameters[name]
  return typeof value === 'number' ? value : Number.NaN
}

/** The shop's processes answer to Steadyhand alone, so by hand it is asked for by name: it asks for a click like any other action. */
export function doCommand(verb: string, { target: { name }, parameters, incident }: HandStep): string {
  const given = Object.entries(parameters).map(([key, value]) => ` ${inShell(`${key}=${String(value)}`)}`)
  return `npx steadyhand do ${verb} ${inShell(name)}${given.toSorted().join('')} for ${inShell(incident)} --as YOU`
}

function inShell(word: string): string {
  return /^[\w.:/=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
