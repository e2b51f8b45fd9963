import type { Agent } from '../../agent/agent.ts'
import { agentFor } from '../identity.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Endpoints that answer each caller from what that caller sees. They are built of an agent and of nothing else, so one that is added sees no more
 * either.
 */
export function seenByCaller(agent: Agent, build: (seen: Agent) => Endpoint[]): Endpoint[] {
  const built = new WeakMap<Agent, Endpoint[]>()
  const endpointsOf = (seen: Agent): Endpoint[] => {
    const known = built.get(seen) ?? build(seen)
    built.set(seen, known)
    return known
  }
  return endpointsOf(agent).map((each, index) => ({
    ...each,
    async serve(context, caller) {
      const endpoint = endpointsOf(agentFor(agent, caller, null))[index]
      if (!endpoint) throw new Error(`there is no endpoint ${each.name}`)
      return await endpoint.serve(context, caller)
    },
  }))
}
