import { workloadOf } from '../target-state.ts'
import type { Scenario } from './scenario.ts'

/** inventory stops sweeping old stock snapshots: its heap fills within seconds and stays near its limit until the process is replaced. */
export const memoryLeak: Scenario = {
  name: 'memory-leak',
  title: 'A heap of inventory that grows to its limit',
  expects: 'action',
  service: 'inventory',
  truth: { class: 'memory_leak', component: 'service/inventory', action: 'local.restart' },
  apply(state) {
    const inventory = workloadOf(state, 'inventory')
    return { ...state, workloads: { ...state.workloads, inventory: { ...inventory, leakingRevision: inventory.revision } } }
  },
}
