import type { Scenario } from './scenario.ts'

/** The job that confirms orders waits for a lock that nobody will release, and holds a batch; orders are taken as ever. */
export const hungJob: Scenario = {
  name: 'hung-job',
  title: 'A job of checkout that hangs with its work',
  expects: 'action',
  service: 'checkout',
  truth: { class: 'job_stuck', component: 'service/checkout', action: 'local.restart-job' },
  apply: (state) => ({ ...state, equipment: { ...state.equipment, job: { ...state.equipment.job, hungRun: state.equipment.job.run } } }),
}
