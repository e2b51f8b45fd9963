import type { AppChange, Fault, NodeChange, Scenarios, Target } from '../scenario.ts'
import { victims } from './start.ts'

const requests = (cpu: string, memory: string): AppChange => ({
  container: { resources: { requests: { cpu, memory }, limits: { cpu, memory } } },
})
const required = (matchExpressions: object[]): object => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } },
})
const apart = (app: string, topologyKey: string): object => ({
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }] },
  },
})

export const schedulingScenarios: Scenarios = {
  cpu_capacity_mismatch: (target) => pending(target, requests(target.pick(['8', '6500m', '16']), '128Mi')),
  memory_capacity_mismatch: (target) => pending(target, requests('100m', target.pick(['20Gi', '64Gi', '9500Mi']))),
  node_selector_mismatch: (target) =>
    pending(
      target,
      {
        pod: {
          nodeSelector: target.pick([{ disktype: 'nvme' }, { 'topology.kubernetes.io/zone': 'eu-4c' }, { pool: 'batch', gpu: 'true' }]),
        },
      },
      [{ labels: { disktype: 'hdd', pool: 'batch' } }],
    ),
  node_affinity_mismatch: (target) =>
    pending(target, {
      pod: required([
        target.pick([
          { key: 'tier', operator: 'In', values: ['premium'] },
          { key: 'gpu', operator: 'Exists' },
          { key: 'kubernetes.io/os', operator: 'NotIn', values: ['linux'] },
        ]),
      ]),
    }),
  node_cordon_mismatch: (target) => {
    const labelled = { labels: { tier: 'data' }, unschedulable: true }
    return pending(
      target,
      { pod: target.variant === 1 ? required([{ key: 'tier', operator: 'In', values: ['data'] }]) : { nodeSelector: { tier: 'data' } } },
      [undefined, labelled],
    )
  },
  taint_toleration_mismatch: (target) => {
    const taint = target.pick([
      { key: 'dedicated', value: 'reports', effect: 'NoSchedule' },
      { key: 'maintenance', effect: 'NoSchedule' },
      { key: 'team', value: 'ads', effect: 'NoSchedule' },
    ])
    // The others tolerate it: the app alone is left out.
    const tolerations = [{ key: taint.key, operator: 'Exists' }]
    const others = Object.fromEntries(
      target.system.apps.filter(({ name }) => name !== target.app.name).map(({ name }) => [name, { pod: { tolerations } }]),
    )
    const fault = pending(
      target,
      {},
      target.system.nodes.map(() => ({ taints: [taint] })),
    )
    return { ...fault, changes: { ...others, ...fault.changes } }
  },
  pod_anti_affinity_conflict: (target) => {
    const other = target.callers[0]?.name ?? target.app.name
    const change = target.pick([
      { replicas: 5, pod: apart(target.app.name, 'kubernetes.io/hostname') },
      { replicas: 6, pod: apart(target.app.name, 'kubernetes.io/hostname') },
      { replicas: 3, pod: apart(target.app.name, 'kubernetes.io/os') },
    ])
    return { ...pending(target, change), question: `${other} is slow, and not all pods of ${target.app.name} run.` }
  },
  kube_scheduler_unavailable: (target) => ({
    component: 'app/kube-scheduler',
    question: target.pick(['New pods do not start.', 'Nothing is rolled out any more.', 'Why are pods pending?']),
    withoutScheduler: true,
    logs: victims(target, 'connection refused'),
  }),
}

function pending(target: Target, change: AppChange, nodes?: readonly (NodeChange | undefined)[]): Fault {
  const { app } = target
  return {
    component: `app/${app.name}`,
    question: target.pick([
      `Why does ${app.name} not answer?`,
      'Some pods do not start.',
      `${target.callers[0]?.name ?? app.name} reports failures of what it calls.`,
    ]),
    changes: { [app.name]: change },
    ...(nodes ? { nodes } : {}),
    logs: victims(target, 'connection refused'),
  }
}
