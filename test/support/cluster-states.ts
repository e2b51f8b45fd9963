import type {
  ClusterState,
  ContainerSpec,
  ContainerState,
  PlatformEvent,
  PodSpec,
  PodState,
  WorkloadState,
} from '../../integrations/ports/cluster-state.ts'

export const RECORDED_AT = new Date('2026-11-21T10:00:00Z')

/** A cluster in which nothing was asked but what `known` says. */
export function clusterState(known: Partial<ClusterState> = {}): ClusterState {
  return {
    namespace: 'shop',
    at: RECORDED_AT,
    pods: null,
    workloads: null,
    services: null,
    routes: null,
    nodes: null,
    claims: null,
    volumes: null,
    storageClasses: null,
    quotas: null,
    networkPolicies: null,
    secrets: null,
    configMaps: null,
    serviceAccounts: null,
    events: null,
    parts: null,
    logs: [],
    connections: [],
    alerts: null,
    calls: null,
    ...known,
  }
}

/** A pod of `app` that runs and is ready, unless `changed` says otherwise. */
export function podState(app: string, changed: Partial<PodState> = {}): PodState {
  return {
    name: `${app}-7f9dd8b6c4-x7gr9`,
    labels: { app },
    owner: { kind: 'ReplicaSet', name: `${app}-7f9dd8b6c4` },
    workload: app,
    node: 'node-1',
    phase: 'Running',
    reason: null,
    message: null,
    createdAt: null,
    startedAt: null,
    deletedAt: null,
    conditions: [],
    containers: [containerState()],
    spec: null,
    ...changed,
  }
}

const NOTHING_SAID = { reason: null, message: null, exitCode: null, startedAt: null, finishedAt: null } as const

/** A running container, or one that waits for `reason`. */
export function containerState(reason: string | null = null, message: string | null = null): ContainerState {
  const kind = reason === null ? 'running' : 'waiting'
  const state = { ...NOTHING_SAID, kind, reason, message } as const
  return { name: 'main', image: null, isInit: false, ready: reason === null, restarts: reason === null ? 0 : 5, state, last: null }
}

/** A warning about a pod, a minute old. */
export function warning(reason: string, message: string, changed: Partial<PlatformEvent> = {}): PlatformEvent {
  const told = new Date(RECORDED_AT.getTime() - 60_000)
  const object = { kind: 'Pod', name: 'pay-7f9dd8b6c4-x7gr9' }
  return { type: 'Warning', reason, message, object, count: 3, firstAt: told, lastAt: told, ...changed }
}

export function podSpec(changed: Partial<PodSpec> = {}, container: Partial<ContainerSpec> = {}): PodSpec {
  const amounts = { cpu: null, memory: null }
  const main: ContainerSpec = {
    name: 'main',
    image: null,
    command: [],
    ports: [],
    requests: amounts,
    limits: amounts,
    liveness: null,
    readiness: null,
    startup: null,
    env: [],
    mounts: [],
    ...container,
  }
  return {
    containers: [main],
    nodeSelector: {},
    tolerations: [],
    nodeAffinity: [],
    podAntiAffinity: [],
    podAffinity: [],
    serviceAccount: null,
    imagePullSecrets: [],
    volumes: [],
    nodeName: null,
    ...changed,
  }
}

/** One that is as it should be. */
export function workloadState(name: string, changed: Partial<WorkloadState> = {}): WorkloadState {
  return {
    kind: 'Deployment',
    name,
    labels: {},
    selector: {},
    desired: 1,
    ready: 1,
    available: 1,
    updated: 1,
    autoscaling: null,
    conditions: [],
    template: null,
    templateLabels: {},
    createdAt: null,
    rolledOutAt: null,
    ...changed,
  }
}
