import type { ChangesPort } from '../ports/changes.ts'
import { ENVIRONMENT } from './catalogue.ts'
import type { DesiredState } from './desired-state.ts'
import { clipBefore, hiddenBefore } from './target-state.ts'

/** Releases, rollbacks, scalings and restarts of the shop's services, newest first; the last hundred are kept. */
export function createLocalChanges(deps: { state: DesiredState }): ChangesPort {
  return {
    async list({ services, from, to }) {
      const clip = clipBefore(deps.state.current())
      const since = clip && clip > from ? clip : from
      const changes = deps.state
        .current()
        .changes.map((change) => ({ ...change, at: new Date(change.at), environment: ENVIRONMENT, link: null }))
        .filter(({ at, service }) => at >= since && at <= to && (services === 'all' || services.includes(service)))
      return {
        query: `changes(${services === 'all' ? 'all' : services.join(', ')})`,
        changes: changes.reverse(),
        ...hiddenBefore(clip, from),
      }
    },
  }
}
