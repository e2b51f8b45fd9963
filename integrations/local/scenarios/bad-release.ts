import { release, type Scenario } from './scenario.ts'

/** payments v42 cannot read amounts with a fraction, and answers 500 to every charge. */
export const badRelease: Scenario = {
  name: 'bad-release',
  title: 'A release of payments that fails every charge',
  expects: 'action',
  service: 'payments',
  truth: { class: 'bad_release', component: 'service/payments', action: 'local.rollback' },
  apply: (state, origin) => release(state, 'payments', 'v42', origin),
}
