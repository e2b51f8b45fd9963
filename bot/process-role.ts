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

/**
 * What of these starts in a process: who is not served and works on nothing gets null, and reads nothing to cite. What is said in a chat is worked
 * on where it arrives: only that process may write down what people decided.
 */
export function startedIn<E extends { health: unknown }, Q, C>(
  parts: { edge: boolean; agent: boolean },
  all: { edge: E; chats: readonly C[]; queue: Q; loadRunbooks: () => Promise<void> },
): { edge: E | null; health: E['health']; chats: readonly C[]; queue: Q | null; loadRunbooks: () => Promise<void> } {
  return {
    edge: parts.edge ? all.edge : null,
    health: all.edge.health,
    chats: parts.edge ? all.chats : [],
    queue: parts.agent || (parts.edge && all.chats.length > 0) ? all.queue : null,
    loadRunbooks: parts.agent ? all.loadRunbooks : async () => {},
  }
}
