import { release, type Scenario } from './scenario.ts'

/** checkout was released, harmlessly, and at the same time the tax rates that both versions read were lost: going back is plausible and does not help. */
export const wrongFix: Scenario = {
  name: 'wrong-fix',
  title: 'A failure of checkout that its latest release did not cause',
  expects: 'undo',
  service: 'checkout',
  truth: { class: 'bad_config_change', component: 'service/checkout', action: null },
  apply: (state, origin) => ({ ...release(state, 'checkout', 'v18', origin), taxRates: 'emptied' }),
}
