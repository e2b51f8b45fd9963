/** Which part of Steadyhand a process is: all of it, or one of three that share a PostgreSQL database and nothing else. */
export const ROLES_OF_PROCESSES = ['all', 'edge', 'agent', 'executor'] as const
export type RoleOfProcess = (typeof ROLES_OF_PROCESSES)[number]

/** What a process of this role runs. */
export function partsOf(role: RoleOfProcess): { edge: boolean; agent: boolean; executor: boolean } {
  return {
    edge: role === 'all' || role === 'edge',
    agent: role === 'all' || role === 'agent',
    executor: role === 'all' || role === 'executor',
  }
}

/** What of these starts in a process: who is not served and works on nothing gets null, and reads nothing to cite. */
export function startedIn<E, Q>(
  parts: { edge: boolean; agent: boolean },
  all: { edge: E; queue: Q; loadRunbooks: () => Promise<void> },
): { edge: E | null; queue: Q | null; loadRunbooks: () => Promise<void> } {
  return {
    edge: parts.edge ? all.edge : null,
    queue: parts.agent ? all.queue : null,
    loadRunbooks: parts.agent ? all.loadRunbooks : async () => {},
  }
}
