import type { Effects } from './agent.ts'
import { Refusal } from './domain/refusal.ts'
import { effectGap, type SelfCheckDeps } from './mode.ts'
import type { AcceptedEffects } from './ports.ts'

const REASON_LENGTH = 500

interface EffectsDeps extends Pick<SelfCheckDeps, 'journal' | 'kernel'> {
  acceptedEffects: AcceptedEffects
  page(words: string): Promise<void>
  /** Looks again whether it may act. */
  checkAgain(): Promise<unknown>
}

export function createEffects(deps: EffectsDeps): Effects {
  return {
    gap: async () => await effectGap(deps),
    async accept(given) {
      const reason = given.trim()
      if (reason === '' || reason.length > REASON_LENGTH)
        throw new Refusal('invalid-parameters', `Say in 1 to ${REASON_LENGTH} characters what you found.`)
      const gap = await effectGap(deps)
      await deps.acceptedEffects.accept(gap, reason)
      if (gap.length > 0)
        await deps.page(
          `${gap.length} effect(s) that only the effect journal knows were taken over from the command line on the host: ${reason}`,
        )
      await deps.checkAgain()
      return gap
    },
  }
}
