import { z } from 'zod'
import type { CheckResult } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import type { KubernetesApi } from './api.ts'
import { FOLLOWED, groupOf, isNamespaced } from './cluster-cache.ts'
import { ID } from './faults.ts'

/** One right, in the words of an RBAC rule. */
export interface Right {
  group: string
  resource: string
  verb: string
  namespace: string | null
}

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) })
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

/** A right of an action: in each namespace, or outside of all of them, or where the applications of Argo CD are. */
interface ActionRight {
  group: string
  resource: string
  verb: string
  where?: 'cluster' | 'argocd'
}

const patch = (...resources: string[]): ActionRight[] => resources.map((resource) => ({ group: 'apps', resource, verb: 'patch' }))
const of = (group: string, resource: string, ...verbs: string[]): ActionRight[] => verbs.map((verb) => ({ group, resource, verb }))
const argocd = (resource: string, ...verbs: string[]): ActionRight[] =>
  of('argoproj.io', resource, ...verbs).map((right) => ({ ...right, where: 'argocd' }))

/** What each action needs beyond reading. */
const WRITES: Readonly<Record<string, readonly ActionRight[]>> = {
  'kubernetes.restart': patch('deployments', 'statefulsets', 'daemonsets'),
  'kubernetes.rollback': patch('deployments'),
  'kubernetes.scale': patch('deployments', 'statefulsets'),
  'kubernetes.pause': patch('deployments'),
  'kubernetes.set-resources': patch('deployments', 'statefulsets', 'daemonsets'),
  'kubernetes.autoscaler': of('autoscaling', 'horizontalpodautoscalers', 'get', 'patch'),
  'kubernetes.delete-pod': [...of('', 'pods', 'get'), ...of('', 'pods/eviction', 'create')],
  'kubernetes.cordon': of('', 'nodes', 'get', 'patch').map((right) => ({ ...right, where: 'cluster' })),
  'kubernetes.argo-pause': argocd('applications', 'get', 'patch'),
  'kubernetes.argo-sync': [...argocd('applications', 'get', 'patch'), ...argocd('appprojects', 'get')],
  'kubernetes.argo-rollback': [...argocd('applications', 'get', 'patch'), ...argocd('appprojects', 'get')],
}

/** Everything that is needed for reading these namespaces, and for these actions there. `argocdNamespace`: where applications are; null for nowhere. */
export function neededRights(namespaces: readonly string[], actions: readonly string[], argocdNamespace: string | null = null): Right[] {
  const reads = FOLLOWED.flatMap((kind) =>
    (isNamespaced(kind) ? namespaces : [null]).flatMap((namespace) =>
      ['list', 'watch'].map((verb) => ({ group: groupOf(kind), resource: kind, verb, namespace })),
    ),
  )
  const applications = argocdNamespace === null ? [] : [argocdNamespace]
  const logs = namespaces.map((namespace) => ({ group: '', resource: 'pods/log', verb: 'get', namespace }))
  const looks =
    actions.length === 0
      ? []
      : namespaces.flatMap((namespace) =>
          ['deployments', 'statefulsets', 'daemonsets'].map((resource) => ({ group: 'apps', resource, verb: 'get', namespace })),
        )
  const writes = actions.flatMap((action) =>
    (WRITES[action] ?? []).flatMap(({ where, ...right }): Right[] => {
      if (where === 'cluster') return [{ ...right, namespace: null }]
      return (where === 'argocd' ? applications : namespaces).map((namespace) => ({ ...right, namespace }))
    }),
  )
  const follows = applications.flatMap((namespace) =>
    ['list', 'watch'].map((verb) => ({ group: 'argoproj.io', resource: 'applications', verb, namespace })),
  )
  return [...reads, ...logs, ...looks, ...writes, ...follows]
}

/** Asks the API server which of these are missing. @throws IntegrationError when it cannot be asked */
export async function missingRights(api: KubernetesApi, needed: readonly Right[], signal: AbortSignal): Promise<Right[]> {
  const answers = await Promise.all(needed.map(async (right) => ({ right, allowed: await isAllowed(api, right, signal) })))
  return answers.filter(({ allowed }) => !allowed).map(({ right }) => right)
}

/** Reading is done by the account itself, only changes in the name of a group. */
const READING = ['get', 'list', 'watch']

async function isAllowed(api: KubernetesApi, { group, resource, verb, namespace }: Right, signal: AbortSignal): Promise<boolean> {
  const [name = '', subresource = ''] = resource.split('/')
  const resourceAttributes = { group, resource: name, subresource, verb, ...(namespace === null ? {} : { namespace }) }
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  const parsed = reviewSchema.safeParse(await api.post(REVIEWS, review, { asGroup: !READING.includes(verb), signal }))
  if (!parsed.success) throw new IntegrationError(ID, 'invalid_response', 'the API server does not say what is allowed')
  return parsed.data.status.allowed
}

/** The missing rights as the rules that would give them: what a person pastes into a Role or ClusterRole. */
export function rulesFor(missing: readonly Right[]): string[] {
  const byPlace = Map.groupBy(missing, ({ namespace, group, resource }) => JSON.stringify([namespace, group, resource]))
  const merged = [...byPlace.values()].map((rights) => ({ ...(rights[0] as Right), verbs: rights.map(({ verb }) => verb) }))
  const byRule = Map.groupBy(merged, ({ namespace, group, verbs }) => JSON.stringify([namespace, group, verbs]))
  return [...byRule.values()].map((rights) => {
    const [first] = rights as [(typeof merged)[number]]
    const rule = { apiGroups: [first.group], resources: rights.map(({ resource }) => resource), verbs: first.verbs }
    return `${first.namespace === null ? 'ClusterRole' : `Role in ${first.namespace}`}: ${JSON.stringify(rule)}`
  })
}

/** What `doctor` says of one environment's rights. */
export async function checkAccess(api: KubernetesApi, name: string, needed: readonly Right[], signal: AbortSignal): Promise<CheckResult> {
  try {
    const missing = await missingRights(api, needed, signal)
    if (missing.length === 0)
      return { name, status: 'ok', words: `the API server answers, and all ${needed.length} rights that are needed are granted`, fix: null }
    const isBlind = missing.some(({ resource, verb }) => verb === 'list' && (resource === 'deployments' || resource === 'pods'))
    const words = `${missing.length} of the ${needed.length} rights that are needed are missing`
    return { name, status: isBlind ? 'failed' : 'warning', words, fix: `Grant ${rulesFor(missing).join(' · ')}` }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return {
      name,
      status: 'failed',
      words: error.message,
      fix: 'See that the context of the kubeconfig reaches the cluster, and that its account is valid.',
    }
  }
}
