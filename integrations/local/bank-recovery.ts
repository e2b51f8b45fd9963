import type { IntegrationDeps } from '../contract.ts'
import type { DesiredState } from './desired-state.ts'
import type { TargetState } from './target-state.ts'

/** How long the bank's own people take to mend it. */
export const OUTAGE_SECONDS = 25

/** An outage of the bank ends by itself, as far as the shop can tell. */
export interface BankRecovery {
  /** An outage that was under way when the supervisor ended goes on for its whole length. */
  start(): void
  stop(): void
}

export function createBankRecovery({ state, log }: { state: DesiredState; log: IntegrationDeps['log'] }): BankRecovery {
  let timer: NodeJS.Timeout | null = null
  const recover = (): void => {
    timer = null
    state
      .update((current) => (current.world.bank === 'down' ? { ...current, world: { ...current.world, bank: 'up' } } : current))
      .catch((error: unknown) => log.error({ error }, 'the outage of the bank could not be ended'))
  }
  const follow = ({ world }: TargetState): void => {
    if (world.bank === 'down') timer ??= setTimeout(recover, OUTAGE_SECONDS * 1_000)
    else if (timer) {
      clearTimeout(timer)
      timer = null
    }
  }
  state.onChange(follow)
  return {
    start: () => follow(state.current()),
    stop() {
      if (timer) clearTimeout(timer)
    },
  }
}
