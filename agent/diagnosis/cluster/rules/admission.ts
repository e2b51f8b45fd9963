import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, earliest, isRecent, quotesOf, withoutHash } from '../finding.ts'

/** What quota was exceeded, by the resource that is named after `requested:`. */
const QUOTAS: readonly (readonly [RegExp, FaultClass, string])[] = [
  [/(limits|requests)\.memory|\bmemory=/, 'namespace_memory_quota_exceeded', 'memory'],
  [/(limits|requests)\.cpu|\bcpu=/, 'namespace_cpu_quota_exceeded', 'cpu'],
  [/requests\.storage|persistentvolumeclaims/, 'namespace_storage_quota_exceeded', 'storage'],
  [/services/, 'namespace_service_quota_exceeded', 'services'],
  [/\bpods=/, 'namespace_pod_quota_exceeded', 'pods'],
]

/** What is refused before it exists. Nothing of it is seen in pods: there are none. */
export const admission: ClusterRule = (state) =>
  (state.events ?? [])
    .filter((event) => event.type === 'Warning' && isRecent(event, state))
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
      if (/admission webhook .* denied|denied by .*policy|violates PodSecurity/i.test(message))
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
