import { release, type Scenario } from './scenario.ts'

/** inventory v14 holds one thing at a time and slower than orders come. It fails nothing itself; its callers give up waiting, and fail loudly. */
export const slowDependency: Scenario = {
  name: 'slow-dependency',
  title: 'A slow inventory that makes checkout fail',
  expects: 'action',
  service: 'inventory',
  truth: { class: 'bad_release', component: 'service/inventory', action: 'local.rollback' },
  apply: (state, origin) => release(state, 'inventory', 'v14', origin),
}
