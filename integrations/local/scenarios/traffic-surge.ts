import type { Scenario } from './scenario.ts'

/** Four times as many people come, more than one storefront can draw its shelf for. */
export const trafficSurge: Scenario = {
  name: 'traffic-surge',
  title: 'More visitors than one storefront can serve',
  expects: 'action',
  service: 'storefront',
  truth: { class: 'traffic_surge', component: 'service/storefront', action: 'local.scale' },
  apply: (state) => ({ ...state, world: { ...state.world, crowd: 'large' } }),
}
