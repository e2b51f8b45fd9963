import type { Scenario } from './scenario.ts'

/** The rewrite of the tax rates stops in the middle; checkout fails until it is completed a few seconds later. */
export const blip: Scenario = {
  name: 'blip',
  title: 'A failure of checkout that heals by itself',
  expects: 'no-action',
  service: 'checkout',
  truth: { class: 'transient', component: 'service/checkout', action: null },
  apply: (state) => ({ ...state, taxRates: 'truncated' }),
}
