import type { ClusterState, ClusterStatePort, PodState, Surroundings } from '../../../integrations/ports/cluster-state.ts'
import { diagnoseCluster } from '../../diagnosis/cluster/diagnose-cluster.ts'
import { type Finding, isWell, livingPods } from '../../diagnosis/cluster/finding.ts'
import type { ClusterContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { askSource, type WarningLog } from '../ask-source.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'
import { seenState } from './seen-state.ts'

/** The rules compare pods with each other; those that are well are the first that are left out. */
const MAX_PODS = 1_000
const MAX_UNWELL = 20
const MAX_SERVICES = 50
const PARTS = ['pods', 'workloads', 'services', 'nodes', 'claims', 'quotas', 'events'] as const

/** One item for each platform that runs the service: what the rules over a cluster find in its namespace. */
export async function collectClusters(
  sources: readonly ClusterSource[],
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence[]> {
  const items = await Promise.all(sources.map((source) => collectCluster(source, scope, signal, log)))
  return items.filter((item) => item !== null)
}

interface ClusterSource {
  id: string
  clusterState: ClusterStatePort
}

async function collectCluster(source: ClusterSource, scope: Scope, signal: AbortSignal, log: WarningLog): Promise<NewEvidence | null> {
  const { service } = scope
  const question = async () => {
    const found = await source.clusterState.around({ service, signal })
    return found ? { query: found.query.slice(0, 4_000), content: contentOf(found, scope) } : null
  }
  const answer = await askSource(question, signal, log)
  const frame = { kind: 'cluster', source: source.id, trust: 'platform' as const, from: scope.from, to: scope.to, link: null }
  if (!answer.ok) {
    const content = { service, failed: answer.words }
    const summary = `the cluster around ${service}: ${answer.words}`
    return { ...frame, status: answer.status, summary, query: `cluster around ${service}`, content }
  }
  if (!answer.value) return null
  const { query, content } = answer.value
  return { ...frame, status: 'ok', summary: summaryOf(content), query, content }
}

function contentOf(found: Surroundings, scope: Scope): ClusterContent {
  const { service, environment, inventory, near } = scope
  const { services } = found
  const inside = new Set(inventory.workloads.filter((workload) => workload.environment === environment).map((each) => each.service))
  const state = seenState(found, new Set([service, ...inside]))
  const all = livingPods(state)
  const names = [...services].filter(([, each]) => near.includes(each)).map(([name]) => name)
  const findings = diagnoseCluster(withFewerPods(state, all), names).filter(({ class: fault }) => fault !== 'unknown')
  return {
    service,
    namespace: oneLine(state.namespace, 100),
    pods: state.pods === null ? null : { living: all.length, ready: all.filter(isWell).length },
    workloads: workloadsOf(state, services).slice(0, MAX_SERVICES),
    unwell: all
      .filter((pod) => !isWell(pod))
      .slice(0, MAX_UNWELL)
      .map(unwellPod),
    findings: findings.map((finding) => findingContent(finding, state, services)),
    unread: PARTS.filter((part) => state[part] === null),
  }
}

function withFewerPods(state: ClusterState, living: readonly PodState[]): ClusterState {
  if (state.pods === null || living.length <= MAX_PODS) return state
  return { ...state, pods: living.toSorted((a, b) => Number(isWell(a)) - Number(isWell(b))).slice(0, MAX_PODS) }
}

function workloadsOf({ workloads }: ClusterState, services: Surroundings['services']): ClusterContent['workloads'] {
  const all = (workloads ?? []).map(({ name, desired, ready }) => ({
    service: oneLine(services.get(name) ?? name, 200),
    desired: desired ?? 0,
    ready: ready ?? 0,
  }))
  return all.toSorted((a, b) => a.ready - a.desired - (b.ready - b.desired))
}

function unwellPod({ name, phase, node, containers }: PodState): ClusterContent['unwell'][number] {
  const states = containers.flatMap(({ state, last }) => [state, last].flatMap((each) => (each?.reason ? [oneLine(said(each), 200)] : [])))
  const restarts = Math.max(0, ...containers.map((container) => container.restarts))
  return {
    pod: oneLine(name, 253),
    phase: oneLine(phase, 50),
    node: node === null ? null : oneLine(node, 253),
    restarts,
    states: states.slice(0, 6),
  }
}

function said({ reason, message, exitCode }: { reason: string | null; message: string | null; exitCode: number | null }): string {
  return `${reason}${exitCode === null ? '' : `, exit code ${exitCode}`}${message === null ? '' : `: ${message}`}`
}

function findingContent(finding: Finding, state: ClusterState, services: Surroundings['services']): ClusterContent['findings'][number] {
  const [kind, name = ''] = finding.component.split(/\/(.*)/s)
  const service = kind === 'app' ? services.get(name) : undefined
  return {
    class: finding.class,
    component: service === undefined ? oneLine(finding.component, 300) : `service/${service}`,
    score: finding.score,
    words: oneLine(finding.words, 500),
    quotes: finding.quotes.map((quote) => oneLine(quote, 300)),
    since: finding.since?.toISOString() ?? null,
    services: sufferers(finding, state, services).slice(0, MAX_SERVICES),
  }
}

/** An app itself; of a node those that run there; of what is the whole namespace's, those that are short of pods. */
function sufferers({ component }: Finding, state: ClusterState, services: Surroundings['services']): string[] {
  const [kind, name = ''] = component.split(/\/(.*)/s)
  const own = kind === 'app' ? services.get(name) : undefined
  if (own !== undefined) return [own]
  const called = (names: readonly (string | null)[]): string[] => [...new Set(names.flatMap((each) => services.get(each ?? '') ?? []))]
  if (kind === 'node') return called(livingPods(state).flatMap(({ node, workload }) => (node === name ? [workload] : [])))
  if (kind !== 'namespace' && name !== 'kube-scheduler') return []
  return called((state.workloads ?? []).flatMap((each) => ((each.ready ?? 0) < (each.desired ?? 0) ? [each.name] : [])))
}

function summaryOf({ namespace, pods, findings }: ClusterContent): string {
  const ready =
    pods === null
      ? `the pods of namespace ${namespace} could not be read`
      : `${pods.ready} of ${pods.living} pods of namespace ${namespace} are ready`
  const [first] = findings
  return first ? `${ready}; ${first.words}` : `${ready}; no rule over the cluster finds a cause`
}
