import { z } from 'zod'
import type { SuccessContract } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, EffectResult, ProbeResult, Step } from '../../ports/action.ts'
import { pathOf } from '../cluster-cache.ts'
import { ID, statusOf } from '../faults.ts'
import { type Pod, podSchema } from '../objects.ts'
import { fits, type NamedWorkload, WORKLOAD_KINDS, type WorkloadResource } from '../services.ts'
import { podsOf } from '../workloads.ts'
import { rolledOut } from './contracts.ts'
import { budgetAgainst } from './disruption.ts'
import { endOf, type Fields, readFields, readObject, stale, unsent } from './live-object.ts'
import { ownerWords } from './owner-words.ts'
import { type ActionDeps, type ActionPlace, findWorkload, kubectl, observeWorkload, placeOf, workloadChange } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.delete-pod',
  version: 1,
  description:
    'Ends one pod of a deployment, stateful set or daemon set, which makes another in its place. Only a pod that its controller replaces, and only where a disruption budget lets it go.',
  parameters: z.strictObject({
    /** The name that people know it by. */
    pod: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'must be the name of a pod'),
    /** What decides: a stateful set gives its next pod the same name. */
    uid: z.string().min(1).max(100),
  }),
  reversibility: 'reversible',
  risk: 'safe',
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: true,
  stepUp: 'none',
  maxTtlSeconds: 1_800,
  minCooldownSeconds: 60,
  retry: 'precondition',
  probeHorizonSeconds: 30,
}

const RESOURCES = Object.keys(WORKLOAD_KINDS) as WorkloadResource[]
const CONTROLLERS: readonly string[] = ['ReplicaSet', 'StatefulSet', 'DaemonSet']
const PINNED = ['uid']
/** How a field names a pod: 'pod payments-0 (a uid)'; its value is 'gone' or 'there'. */
const POD_FIELD = /^pod (\S+) \((\S+)\)$/

/** The target is the workload, so that nothing else changes it at the same time; the pod is a parameter. */
export function createDeletePod(deps: ActionDeps): Action {
  return {
    definition,
    title: (target, { pod }) => `Delete pod ${String(pod)} of ${target.name}`,
    // Only somebody who looked at the pod can tell that it is the one.
    suggest: async () => null,
    observe: async (where, signal) => await observeWorkload(deps, RESOURCES, where, PINNED, signal),
    async dryRun(step, signal) {
      const place = placeOf(deps, step.target)
      const looked = await look(place, step, signal)
      if ('result' in looked) throw new IntegrationError(ID, 'refused', looked.words)
      await remove(place, looked, step, { dryRun: ['All'] }, signal)
      const local = looked.hasLocalData ? '; what it keeps in emptyDir volumes is lost' : ''
      return {
        changes: [{ field: 'pod', from: looked.pod.metadata.name, to: 'ended; another is made in its place' }],
        downtime: `none, if other pods are ready${local}${ownerWords(looked.workload.object, deps.now())}`.slice(0, 200),
      }
    },
    success: (step): SuccessContract => rolledOut(placeOf(deps, step.target).verification, [{ field: podField(step), equals: 'gone' }]),
    probeWords: 'the pod with this uid is gone, or is ending',
    // There is no way back to a pod that has ended.
    undo: () => null,
    effect: async (step, _id, signal) => await end(placeOf(deps, step.target), step, signal),
    probe: async (step, _id, signal) => await probe(placeOf(deps, step.target), step, signal),
    async readState(target, fields, signal) {
      const place = placeOf(deps, target)
      const change = workloadChange(place, RESOURCES, async () => [])
      const own = await readFields(change, target, fields, signal)
      const pods = fields.filter((field) => POD_FIELD.test(field))
      const read = await Promise.all(pods.map(async (field) => [field, await podState(place, target.name, field, signal)] as const))
      return { ...own, ...Object.fromEntries(read) } satisfies Fields
    },
    byHand: {
      async defaults({ environment, name }) {
        const place = deps.places.get(environment)
        const found = place ? await findWorkload(place, RESOURCES, name) : null
        // Of several that are not well a person has to say which.
        const [pod, ...others] = place && found ? podsOf(place.cache, found).filter(isUnwell) : []
        return pod && others.length === 0 ? { pod: pod.metadata.name, uid: pod.metadata.uid } : null
      },
      command: ({ target, parameters }) => kubectl(deps, target, 'delete', 'pod', String(parameters['pod'])),
    },
  }
}

type Objection = Extract<EffectResult, { result: 'refused' }>

interface Looked {
  workload: NamedWorkload
  pod: Pod
  path: string
  hasLocalData: boolean
}

/** The pod as it is now and what it belongs to, or why it is left alone. @throws IntegrationError when something is not known */
async function look(place: ActionPlace, { target, parameters }: Step, signal?: AbortSignal): Promise<Looked | Objection> {
  const workload = await findWorkload(place, RESOURCES, target.name, signal)
  if (!workload || workload.object.metadata.uid !== target.uid) return stale(`there is no ${target.kind} ${target.name} as it was seen`)
  const path = podPath(workload, String(parameters['pod']))
  const live = await readObject(place.api, path, signal)
  if (!live || live.uid !== parameters['uid']) return stale(`pod ${String(parameters['pod'])} is gone`)
  const pod = podSchema.parse(live.raw)
  if (pod.metadata.deletionTimestamp !== null) return stale(`pod ${pod.metadata.name} is ending already`)
  const owner = pod.metadata.ownerReferences.find(({ controller }) => controller)
  if (!owner || !CONTROLLERS.includes(owner.kind) || !fits(pod.metadata.labels, workload.object.spec.selector))
    return against(`pod ${pod.metadata.name} is not one that ${target.name} replaces`)
  // A pod that is not ready counts for no budget.
  const budget = isUnwell(pod) ? null : await budgetAgainst(place, workload.namespace, pod.metadata.labels, signal)
  if (budget !== null) return against(`the disruption budget ${budget} lets no pod of it go now`)
  return { workload, pod, path, hasLocalData: JSON.stringify(live.raw['spec'] ?? {}).includes('"emptyDir"') }
}

function against(words: string): Objection {
  return { result: 'refused', reason: 'invalid', words }
}

async function end(place: ActionPlace, step: Step, signal: AbortSignal): Promise<EffectResult> {
  let looked: Looked | Objection
  try {
    looked = await look(place, step, signal)
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return unsent(error)
  }
  if ('result' in looked) return looked
  try {
    await remove(place, looked, step, {}, signal)
    return { result: 'applied' }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    // Another pod has the name by now.
    return statusOf(error) === 409 ? stale(error.message) : endOf(error)
  }
}

async function remove(place: ActionPlace, { path }: Looked, { parameters }: Step, options: object, signal?: AbortSignal): Promise<void> {
  const preconditions = { uid: String(parameters['uid']) }
  await place.api.remove(path, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, ...options }, signal)
}

async function probe(place: ActionPlace, { target, parameters }: Step, signal: AbortSignal): Promise<ProbeResult> {
  const workload = await findWorkload(place, RESOURCES, target.name, signal)
  if (!workload) return 'unknown'
  return (await isGone(place, workload, String(parameters['pod']), String(parameters['uid']), signal)) ? 'applied' : 'not-applied'
}

async function podState(place: ActionPlace, service: string, field: string, signal?: AbortSignal): Promise<'gone' | 'there' | null> {
  const [, name = '', uid = ''] = POD_FIELD.exec(field) ?? []
  const workload = await findWorkload(place, RESOURCES, service, signal)
  if (!workload) return null
  const live = await readObject(place.api, podPath(workload, name), signal)
  return live?.uid === uid ? 'there' : 'gone'
}

/** Gone, or on its way: from then on it gets no requests. */
async function isGone(place: ActionPlace, workload: NamedWorkload, name: string, uid: string, signal: AbortSignal): Promise<boolean> {
  const live = await readObject(place.api, podPath(workload, name), signal)
  return live?.uid !== uid || podSchema.parse(live.raw).metadata.deletionTimestamp !== null
}

function podPath({ namespace }: NamedWorkload, name: string): string {
  return `${pathOf('pods', namespace)}/${encodeURIComponent(name)}`
}

function podField({ parameters }: Step): string {
  return `pod ${String(parameters['pod'])} (${String(parameters['uid'])})`
}

function isUnwell({ status, metadata }: Pod): boolean {
  const isReady = status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  return metadata.deletionTimestamp === null && !isReady
}
