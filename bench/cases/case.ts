import type { ClusterState } from '../../integrations/ports/cluster-state.ts'

/** One recorded case: what was seen, and what an answer has to contain where that is known. */
export interface ClusterCase {
  id: string
  suite: 'opensre' | 'HolmesGPT' | 'recordings'
  state: ClusterState
  /** Names that the alert or the question speaks of. */
  about: readonly string[]
  /** Each has to occur in the answer's text, whatever its case; null when it is held out. */
  keywords: readonly string[] | null
  /** Whether the right answer is that nothing is wrong now; null when it is held out or not said. */
  isHealthy: boolean | null
  /** The class and the component of the right answer, where they are known. */
  label?: CaseLabel
}

export interface CaseLabel {
  class: string
  component: string
}

/** A state of which nothing was asked. */
export function emptyState(namespace: string, at: Date): ClusterState {
  return {
    namespace,
    at,
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
  }
}
