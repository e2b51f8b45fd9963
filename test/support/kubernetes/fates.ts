import type { Action, EffectResult, Step } from '../../../integrations/ports/action.ts'
import { until } from '../live/until.ts'
import type { ShopCluster } from './shop-cluster.ts'

/** What may become of the request of an effect; 'late': it is carried out after nobody waits for its answer any more. */
export const FATES = ['well', 'drop-reply', 'twice', 'late'] as const
export type Fate = (typeof FATES)[number]

const WITHIN_SECONDS = 60
const never = new AbortController().signal

/** The effect under a fate of its request. */
export async function underFate({ server }: ShopCluster, fate: Fate, action: Action, step: Step, id: string): Promise<EffectResult> {
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<null>()]
  const given = new AbortController()
  server.interfere = ({ method, query }) => {
    if ((method !== 'PATCH' && method !== 'POST') || query['dryRun'] !== undefined || fate === 'well') return null
    if (fate !== 'late') return fate
    arrived.resolve()
    return released.promise
  }
  const before = server.effects.length
  const ended = action.effect(step, id, fate === 'late' ? given.signal : never)
  if (fate === 'late') {
    await arrived.promise
    given.abort()
  }
  const result = await ended
  released.resolve(null)
  if (fate === 'late') await until('the late request is carried out', async () => server.effects.length > before, WITHIN_SECONDS)
  server.interfere = () => null
  return result
}
