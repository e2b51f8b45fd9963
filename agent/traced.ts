import type { OutsideToolsPort } from '../integrations/ports/outside-tools.ts'
import type { Investigation } from './investigation/investigation.ts'
import type { Source } from './investigation/scope.ts'
import type { ApprovalKernel, ExecutionKernel } from './ports.ts'
import type { SpanAttributes, Trace } from './trace.ts'

/** The same sources; each question that an investigation asks of them is told. Only whose it was, not what was asked. */
export function tracedSources(sources: readonly Source[], trace: Trace): Source[] {
  const asked = <T>(source: string, kind: string, question: () => Promise<T>): Promise<T> =>
    trace.part('evidence', { source, kind }, question)
  return sources.map(({ id, metrics, logs, traces, changes, workloads, clusterState, repositories, outsideTools, ...rest }) => ({
    ...rest,
    id,
    ...(metrics ? { metrics: { ...metrics, read: (query) => asked(id, 'metrics', () => metrics.read(query)) } } : {}),
    ...(logs ? { logs: { ...logs, read: (query) => asked(id, 'logs', () => logs.read(query)) } } : {}),
    ...(traces
      ? {
          traces: {
            ...traces,
            search: (query) => asked(id, 'traces', () => traces.search(query)),
            open: (trace, signal) => asked(id, 'traces', () => traces.open(trace, signal)),
          },
        }
      : {}),
    ...(changes ? { changes: { ...changes, list: (query) => asked(id, 'changes', () => changes.list(query)) } } : {}),
    ...(workloads ? { workloads: { ...workloads, find: (query) => asked(id, 'workload', () => workloads.find(query)) } } : {}),
    ...(outsideTools ? { outsideTools: tracedTools(outsideTools, (question) => asked(id, 'outside', question)) } : {}),
    ...(clusterState
      ? { clusterState: { ...clusterState, around: (query) => asked(id, 'cluster', () => clusterState.around(query)) } }
      : {}),
    ...(repositories
      ? { repositories: { ...repositories, compare: (query) => asked(id, 'commits', () => repositories.compare(query)) } }
      : {}),
  }))
}

function tracedTools(port: OutsideToolsPort, asked: <T>(question: () => Promise<T>) => Promise<T>): OutsideToolsPort {
  return {
    ...port,
    async offer(signal) {
      const { tools, ...rest } = await asked(() => port.offer(signal))
      return { ...rest, tools: tools.map((tool) => ({ ...tool, ask: (input, until) => asked(() => tool.ask(input, until)) })) }
    },
  }
}

export function tracedInvestigation(investigation: Investigation, trace: Trace): Investigation {
  return {
    ...investigation,
    run: (incident, signal) =>
      trace.span(
        'investigation',
        { incident },
        () => investigation.run(incident, signal),
        ({ hypotheses: [first] }) => (first ? { class: first.class } : {}),
      ),
  }
}

export function tracedProposals(kernel: ApprovalKernel, trace: Trace): ApprovalKernel {
  return {
    ...kernel,
    propose: (input) =>
      trace.span(
        'proposal',
        { incident: input.parent.plan.incident, action: input.parent.plan.action.kind, plan: input.parent.plan.id },
        () => kernel.propose(input),
        ({ id }) => ({ approval: id }),
      ),
  }
}

/** Each step of an execution that is carried out. */
export function tracedSteps(kernel: ExecutionKernel, trace: Trace): ExecutionKernel {
  return {
    ...kernel,
    advance: (execution, state, epoch, detail) =>
      trace.part('execution-step', { execution, state }, () => kernel.advance(execution, state, epoch, detail)),
  }
}

/** Looking after open incidents is done every two seconds, and says nothing. */
const UNTOLD_JOBS: readonly string[] = ['sweep']

/** A job by its kind, with the ids in its payload. */
export async function tracedJob(
  trace: Trace,
  kind: string,
  payload: Readonly<Record<string, unknown>>,
  work: () => Promise<void>,
): Promise<void> {
  if (UNTOLD_JOBS.includes(kind)) return await work()
  await trace.span('job', { kind, ...idsIn(payload) }, work)
}

/** Jobs that are done together: one alone by its ids, several by how many they are. */
export async function tracedJobs(
  trace: Trace,
  kind: string,
  payloads: readonly Readonly<Record<string, unknown>>[],
  work: () => Promise<void>,
): Promise<void> {
  const [first] = payloads
  await trace.span('job', { kind, ...(payloads.length === 1 && first ? idsIn(first) : { jobs: String(payloads.length) }) }, work)
}

function idsIn({ incidentId, inboxId }: Readonly<Record<string, unknown>>): SpanAttributes {
  return {
    ...(typeof incidentId === 'string' ? { incident: incidentId } : {}),
    ...(typeof inboxId === 'number' ? { delivery: String(inboxId) } : {}),
  }
}
