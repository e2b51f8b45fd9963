import type { ClusterState, PlatformEvent, PodState, Surroundings } from '../../../integrations/ports/cluster-state.ts'
import { withoutHash } from '../../diagnosis/cluster/finding.ts'

/**
 * As much of a namespace as those may read who see only these services: what is found there is read by everybody who sees the incident. Where any
 * workload is somebody else's, its pods and events are left out, and so is what cannot be told apart: that counts as not read. Pure.
 */
export function seenState({ state, services }: Surroundings, seen: ReadonlySet<string>): ClusterState {
  const isSeen = (workload: string | null): boolean => workload !== null && seen.has(services.get(workload) ?? '')
  if ([...services.keys()].every(isSeen)) return state
  const pods = state.pods?.filter(({ workload }) => isSeen(workload)) ?? null
  const workloads = state.workloads?.filter(({ name }) => isSeen(name)) ?? null
  return {
    ...state,
    pods,
    workloads,
    events: state.events?.filter((event) => isAbout(event, pods ?? [], isSeen)) ?? null,
    logs: state.logs.filter(({ workload }) => isSeen(workload)),
    services: null,
    routes: null,
    claims: null,
    volumes: null,
    networkPolicies: null,
    configMaps: null,
    serviceAccounts: null,
    connections: [],
    alerts: null,
    calls: null,
    spans: [],
  }
}

/** Of a pod by its name, of a replica set by the name before its hash. Nodes are everybody's. */
function isAbout({ object }: PlatformEvent, pods: readonly PodState[], isSeen: (workload: string) => boolean): boolean {
  if (object.kind === 'Node') return true
  if (object.kind === 'Pod') return pods.some(({ name }) => name === object.name)
  return isSeen(object.kind === 'ReplicaSet' ? withoutHash(`${object.name}-xxxxx`) : object.name)
}
