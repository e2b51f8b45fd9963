import type { ClusterState, WorkloadState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, earliest, type Finding, isRecent, livingPods, quotesOf, withoutHash } from '../finding.ts'

/** What quota was exceeded, by the resource that is named after `requested:`. */
const QUOTAS: readonly (readonly [RegExp, FaultClass, string])[] = [
  [/(limits|requests)\.memory|\bmemory=/, 'namespace_memory_quota_exceeded', 'memory'],
  [/(limits|requests)\.cpu|\bcpu=/, 'namespace_cpu_quota_exceeded', 'cpu'],
  [/requests\.storage|persistentvolumeclaims/, 'namespace_storage_quota_exceeded', 'storage'],
  [/services/, 'namespace_service_quota_exceeded', 'services'],
  [/\bpods=/, 'namespace_pod_quota_exceeded', 'pods'],
]

/** What is refused before it exists. Nothing of it is seen in pods: there are none. */
export const admission: ClusterRule = (state) => [...refused(state), ...usedUp(state)]

const refused: ClusterRule = (state) =>
  (state.events ?? [])
    .filter((event) => event.type === 'Warning' && (isRecent(event, state) || isShort(event.object.name, state)))
    .flatMap((event) => {
      const { message, object, firstAt } = event
      const app = `app/${withoutHash(`${object.name}-xxxxx`)}`
      const common = { quotes: quotesOf(message), since: earliest(firstAt) }
      if (/exceeded quota/i.test(message)) {
        const requested = /requested: ([^,]+(?:,[^,:]+=[^,]+)*)/.exec(message)?.[1] ?? message
        const found = QUOTAS.find(([pattern]) => pattern.test(requested))
        const [, quota = 'namespace_pod_quota_exceeded', resource = 'pods'] = found ?? []
        const words = `New pods of ${object.name} are refused: the quota of namespace ${state.namespace} on ${resource} is used up. Pods that exist are not touched.`
        return [{ class: quota as FaultClass, component: `namespace/${state.namespace}`, score: 94, words, ...common }]
      }
      if (/serviceaccount "?[^ "]+"? not found|service account .* not found/i.test(message))
        return [
          {
            class: 'missing_service_account' as const,
            component: app,
            score: 93,
            words: `${object.name} cannot create pods: its service account does not exist.`,
            ...common,
          },
        ]
      if (/admission webhook .* denied|denied by .*policy|ValidatingAdmissionPolicy .* denied|violates PodSecurity/i.test(message))
        return [
          {
            class: 'admission_webhook_denied' as const,
            component: app,
            score: 90,
            words: `What ${object.name} wants to create is denied by a policy.`,
            ...common,
          },
        ]
      return []
    })

const RESOURCES: readonly (readonly [RegExp, FaultClass])[] = [
  [/memory/, 'namespace_memory_quota_exceeded'],
  [/cpu/, 'namespace_cpu_quota_exceeded'],
  [/storage|persistentvolumeclaims/, 'namespace_storage_quota_exceeded'],
  [/^(count\/)?services/, 'namespace_service_quota_exceeded'],
  [/^(count\/)?pods$/, 'namespace_pod_quota_exceeded'],
]
const NAME_UNKNOWN = /no such host|could not resolve|ENOTFOUND|UnknownHost|NXDOMAIN|exceeded quota/i

/** A quota with nothing left, where something is missing that it counts. Nobody tells of a service that was refused. */
function usedUp(state: ClusterState): Finding[] {
  const { quotas, workloads, logs, services, namespace } = state
  const isShortOfPods = (workloads ?? []).some((workload) => lacksPods(workload, state))
  const unnamed = (workloads ?? []).filter(
    ({ kind, name }) => kind === 'Deployment' && services?.some((each) => each.name === name) === false,
  )
  const unresolved = logs
    .flatMap(({ lines }) => lines)
    .find(({ text }) => NAME_UNKNOWN.test(text) && (/exceeded quota/i.test(text) || unnamed.some(({ name }) => text.includes(name))))
  return (quotas ?? []).flatMap(({ name, limits }) =>
    limits
      .filter(({ used, hard }) => used >= hard)
      .flatMap(({ resource, used, hard }): Finding[] => {
        const found = RESOURCES.find(([pattern]) => pattern.test(resource))
        if (!found) return []
        const [, cause] = found
        const isMissed = cause === 'namespace_service_quota_exceeded' ? unresolved !== undefined : isShortOfPods
        if (!isMissed) return []
        const words = `The quota ${name} of namespace ${namespace} has no ${resource} left: ${used} of ${hard} are used.`
        const score = cause === 'namespace_service_quota_exceeded' ? 90 : 70
        return [{ class: cause, component: `namespace/${namespace}`, score, words, quotes: quotesOf(unresolved?.text), since: null }]
      }),
  )
}

/** What creates pods tries again ever more seldom: where pods are missing still, what it said last holds. */
function isShort(owner: string, state: ClusterState): boolean {
  const name = withoutHash(`${owner}-xxxxx`)
  return (state.workloads ?? []).some((each) => (each.name === name || each.name === owner) && lacksPods(each, state))
}

/** Pods that are not there, which is not the same as pods that are not ready. */
function lacksPods({ name, desired, ready }: WorkloadState, state: ClusterState): boolean {
  const there = state.pods === null ? ready : livingPods(state).filter(({ workload }) => workload === name).length
  return (there ?? 0) < (desired ?? 0)
}
