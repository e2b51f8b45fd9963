import { release, type Scenario } from './scenario.ts'

/** payments v43 expects a setting that nobody has made: it starts, takes over, and exits a second later, again and again. */
export const crashLoop: Scenario = {
  name: 'crash-loop',
  title: 'A release of payments that exits again and again',
  expects: 'action',
  service: 'payments',
  truth: { class: 'crash_on_start', component: 'service/payments', action: 'local.rollback' },
  apply: (state, origin) => release(state, 'payments', 'v43', origin),
}
