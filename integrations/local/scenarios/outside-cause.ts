import type { Scenario } from './scenario.ts'

/** The bank answers 503 until it has mended itself: everything that sells fails, and nothing in the shop is wrong. */
export const outsideCause: Scenario = {
  name: 'outside-cause',
  title: 'A bank that refuses every charge of payments',
  expects: 'no-action',
  service: 'payments',
  truth: { class: 'provider_outage', component: 'external/bank', action: null },
  apply: (state) => ({ ...state, world: { ...state.world, bank: 'down' } }),
}
