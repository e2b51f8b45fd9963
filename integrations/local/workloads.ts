import type { Workload, WorkloadsPort } from '../ports/workloads.ts'
import { ENVIRONMENT, findService, OUTSIDE_PARTIES, SHOP } from './catalogue.ts'
import type { DesiredState } from './desired-state.ts'
import type { Supervisor } from './supervisor.ts'
import { clipBefore, previousVersionOf, versionOf, workloadOf } from './target-state.ts'

/** The shop's services as the supervisor knows them. */
export function createLocalWorkloads(deps: { state: DesiredState; supervisor: Supervisor }): WorkloadsPort {
  const describe = (service: string): Workload => {
    const workload = workloadOf(deps.state.current(), service)
    const observed = deps.supervisor.observe(service)
    const clip = clipBefore(deps.state.current())
    return {
      service,
      environment: ENVIRONMENT,
      uid: workload.uid,
      version: versionOf(workload),
      previousVersion: previousVersionOf(workload),
      desiredReplicas: workload.replicas,
      readyReplicas: Math.min(observed?.ready ?? 0, workload.replicas),
      restarts: observed?.restarts ?? 0,
      startedAt: observed?.startedAt ?? null,
      events: observed?.events.filter(({ at }) => !clip || at >= clip) ?? [],
    }
  }
  return {
    find: async (service) => (findService(service) ? { query: `workload(${service})`, workload: describe(service) } : null),
    list: async () => SHOP.map(({ name }) => describe(name)),
    dependencies: async () => ({
      query: 'calls(shop)',
      edges: SHOP.flatMap(({ name, calls, callsOutside }) => [...calls, ...callsOutside].map((callee) => ({ from: name, to: callee }))),
      outside: OUTSIDE_PARTIES,
    }),
  }
}
