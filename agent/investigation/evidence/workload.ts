import type { Workload, WorkloadsPort } from '../../../integrations/ports/workloads.ts'
import type { WorkloadContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { askSource, type WarningLog } from '../ask-source.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

const MAX_EVENTS = 20
const MAX_KEEPERS = 10

/** One item per service: its version, replicas, restarts and what the platform reports about it. */
export async function collectWorkload(
  source: { id: string; workloads: WorkloadsPort },
  service: string,
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence> {
  const question = async () => {
    const found = await source.workloads.find(service, signal)
    return found ? { query: found.query.slice(0, 4_000), content: contentOf(found.workload) } : null
  }
  const answer = await askSource(question, signal, log)
  const frame = { kind: 'workload', source: source.id, trust: 'platform' as const, from: scope.from, to: scope.to, link: null }
  if (!answer.ok) {
    const content = { service, failed: answer.words }
    return { ...frame, status: answer.status, summary: `workload of ${service}: ${answer.words}`, query: `workload ${service}`, content }
  }
  if (!answer.value) {
    return {
      ...frame,
      status: 'empty',
      summary: `the platform knows no ${service}`,
      query: `workload ${service}`,
      content: { service, found: false },
    }
  }
  const { query, content } = answer.value
  return { ...frame, status: 'ok', summary: summaryOf(content), query, content }
}

function contentOf(workload: Workload): WorkloadContent {
  const { service, environment, version, previousVersion, desiredReplicas, readyReplicas, restarts, keepers = [] } = workload
  return {
    ...{ service, environment, version: oneLine(version, 100), desiredReplicas, readyReplicas, restarts },
    previousVersion: previousVersion === null ? null : oneLine(previousVersion, 100),
    startedAt: workload.startedAt?.toISOString() ?? null,
    events: workload.events.slice(0, MAX_EVENTS).map(({ at, text }) => ({ at: at.toISOString(), text: oneLine(text, 300) })),
    ...(keepers.length > 0 ? { keepers: keepers.slice(0, MAX_KEEPERS).map((text) => oneLine(text, 300)) } : {}),
  }
}

function summaryOf({ service, version, readyReplicas, desiredReplicas, restarts, keepers = [] }: WorkloadContent): string {
  const kept = keepers[0] === undefined ? '' : `; ${keepers[0].slice(0, 150)}`
  return `${service} runs ${version}, ${readyReplicas} of ${desiredReplicas} replicas ready, ${restarts} restarts${kept}`
}
