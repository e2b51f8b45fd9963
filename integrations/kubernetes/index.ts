import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import type { DurableWay } from '../ports/durable-ways.ts'
import { checkAccess, neededRights } from './access.ts'
import { createArgoPause } from './actions/argo-pause.ts'
import { createArgoRollback } from './actions/argo-rollback.ts'
import { createArgoSync } from './actions/argo-sync.ts'
import { createAutoscaler } from './actions/autoscaler.ts'
import { createCordon } from './actions/cordon.ts'
import { createDeletePod } from './actions/delete-pod.ts'
import { createPause } from './actions/pause.ts'
import { createRestart } from './actions/restart.ts'
import { createRollback } from './actions/rollback.ts'
import { createScale } from './actions/scale.ts'
import { createSetResources } from './actions/set-resources.ts'
import type { ActionPlace, Verification } from './actions/workload-target.ts'
import { createApi, type KubernetesApi } from './api.ts'
import { applicationsProblem, createApplications, NO_APPLICATIONS } from './argocd/applications.ts'
import { createChanges } from './changes.ts'
import { createClusterCache } from './cluster-cache.ts'
import { createClusterState } from './cluster-state.ts'
import { openConnection } from './connection.ts'
import { ID } from './faults.ts'
import { createPodLogs } from './logs.ts'
import { createWorkloads } from './workloads.ts'

/** What is reached, and what may be proposed there. */
export interface KubernetesOptions {
  /** A path, or several as KUBECONFIG joins them; null for the account that a pod has in its own cluster. */
  kubeconfig: string | null
  environments: readonly KubernetesEnvironment[]
  /** What can be asked for beside its own actions, so that a change stays. */
  durable?: readonly DurableWay[]
}

/** Some namespaces of one cluster. */
export interface KubernetesEnvironment {
  name: string
  /** A context of the kubeconfig; null for its current one. */
  context: string | null
  namespaces: readonly string[]
  /** Where Argo CD keeps its applications; null where nothing is asked about them. */
  argocdNamespace: string | null
  /** Kinds of actions, such as kubernetes.restart; none means that it is only read. */
  actions: readonly string[]
  /** Changes are made in the name of this group, for an audit log and RBAC of its own; null for the account itself. */
  impersonateGroup: string | null
  /** Whether logs are read from the pods, where no log store has them. */
  podLogs: boolean
  verification: Verification
}

const CHECK_TIMEOUT_MS = 20_000
/** What fits a cause first is proposed first. */
const ACTIONS = [
  createRollback,
  createRestart,
  createScale,
  createAutoscaler,
  createSetResources,
  createPause,
  createDeletePod,
  createCordon,
  createArgoPause,
  createArgoSync,
  createArgoRollback,
]

/** One integration for each environment, and one that acts in all of those that allow it. */
export function createKubernetes(deps: IntegrationDeps, options: KubernetesOptions): Integration[] {
  const places = options.environments.map((each) => ({ each, place: openPlace(deps, options, each) }))
  const read = places.map(({ each, place }) => readIntegration(deps, each, place))
  const acting = places.filter(({ each }) => each.actions.length > 0)
  const all = places.map(({ place }) => place)
  return acting.length === 0 ? read : [...read, actIntegration(deps, acting, all)]
}

function openPlace({ now }: IntegrationDeps, { kubeconfig, durable = [] }: KubernetesOptions, each: KubernetesEnvironment): ActionPlace {
  const connection = openConnection(kubeconfig, each.context)
  const api = createApi(connection, { now, impersonateGroup: each.impersonateGroup })
  const { argocdNamespace } = each
  return {
    environment: each.name,
    namespaces: each.namespaces,
    applications: argocdNamespace === null ? NO_APPLICATIONS : createApplications({ api, namespace: argocdNamespace }),
    cache: createClusterCache({ api, namespaces: each.namespaces }),
    api,
    context: connection.ok ? connection.context : (each.context ?? ''),
    verification: each.verification,
    argocdNamespace,
    actions: each.actions,
    durable,
  }
}

function readIntegration({ now }: IntegrationDeps, each: KubernetesEnvironment, place: ActionPlace): Integration {
  return {
    id: ID,
    environments: [each.name],
    workloads: createWorkloads(place),
    changes: createChanges(place),
    clusterState: createClusterState(place, { now }),
    ...(each.podLogs ? { logs: createPodLogs(place, place) } : {}),
    start: async () => {
      place.cache.start()
      place.applications.start()
    },
    stop: async () => {
      place.cache.stop()
      place.applications.stop()
    },
    check: async (): Promise<CheckResult[]> => {
      const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
      const needed = neededRights(each.namespaces, each.actions, each.argocdNamespace)
      const access = await checkAccess(place.api, `${ID}/${each.name}`, needed, signal)
      return each.argocdNamespace === null ? [access] : [access, await checkArgoCd(place.api, each.name, each.argocdNamespace, signal)]
    },
  }
}

/** Without it the rest works as it would. */
async function checkArgoCd(api: KubernetesApi, environment: string, namespace: string, signal: AbortSignal): Promise<CheckResult> {
  const name = `${ID}/${environment}/argocd`
  try {
    const problem = await applicationsProblem(api, namespace, signal)
    if (problem === null) return { name, status: 'ok', words: `applications of Argo CD in ${namespace} can be read`, fix: null }
    const fix = 'Say in argocdNamespace where they are, grant the right, or leave argocdNamespace out.'
    return { name, status: 'warning', words: `${problem}: what they deploy is not told`, fix }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { name, status: 'warning', words: error.message, fix: 'See that the context of the kubeconfig reaches the cluster.' }
  }
}

/** An action that one environment allows and another does not knows only the first: elsewhere there is nothing for it to act on. */
function actIntegration(
  { now }: IntegrationDeps,
  acting: readonly { each: KubernetesEnvironment; place: ActionPlace }[],
  all: readonly ActionPlace[],
): Integration {
  const actions = ACTIONS.map((create) => {
    const { kind } = create({ places: new Map(), all, now }).definition
    const places = new Map(acting.filter(({ each }) => each.actions.includes(kind)).map(({ each, place }) => [each.name, place]))
    return { isAllowed: places.size > 0, action: create({ places, all, now }) }
  })
  return {
    id: ID,
    environments: acting.map(({ each }) => each.name),
    actions: actions.filter(({ isAllowed }) => isAllowed).map(({ action }) => action),
    start: async () => {},
    stop: async () => {},
    check: async () => [],
  }
}
