import type { Scenario } from './scenario.ts'

/** Somebody traces whole orders into the journal until its directory is full; from then on no order can be written down, and none is taken. */
export const fullLogDirectory: Scenario = {
  name: 'full-log-directory',
  title: 'A log directory of checkout that fills up',
  expects: 'action',
  service: 'checkout',
  truth: { class: 'log_volume_full', component: 'service/checkout', action: 'local.archive-logs' },
  apply: (state) => ({ ...state, equipment: { ...state.equipment, journal: { ...state.equipment.journal, mode: 'verbose' } } }),
}
