/** What happened, for whoever shows it live: pointers to rows, never the rows themselves. */
export type AgentEvent =
  | { type: 'incident-changed'; incidentId: string }
  | { type: 'approval-changed'; incidentId: string; requestId: string }
  | { type: 'message-posted'; incidentId: string }
  | { type: 'mode-changed' }

export interface EventHub {
  publish(event: AgentEvent): void
  /** Returns the call that ends the subscription. */
  subscribe(listener: (event: AgentEvent) => void): () => void
}

export function createEventHub(): EventHub {
  const listeners = new Set<(event: AgentEvent) => void>()
  return {
    publish(event) {
      for (const listener of listeners) listener(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
