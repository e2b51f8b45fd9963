import { crashing, ended, type Fault, hoursAgo, matrix, RUNNING, type Scenarios, type Target, vector } from '../scenario.ts'
import { callTree, firing } from '../told.ts'
import { victims } from './start.ts'

const MI = 1_048_576

export const runtimeScenarios: Scenarios = {
  oom_killed: (target) => ({
    ...killed(target),
    answers: target.variant === 1 ? [memory(target, [190, 200, 260, 120, 250, 262])] : [],
  }),
  memory_leak: (target) => ({
    ...killed(target),
    answers: [
      memory(
        target,
        target.pick([
          [60, 95, 130, 170, 205, 240, 255],
          [80, 110, 140, 170, 200, 228, 256],
          [40, 80, 125, 160, 200, 235, 254],
        ]),
      ),
    ],
  }),
  cpu_throttled: (target) =>
    slow(target, [
      firing(
        target,
        'CPUThrottlingHigh',
        `${target.pick(['46%', '71%', '38%'])} throttling of CPU for container main of ${target.app.name}`,
      ),
      query(target, 'rate(container_cpu_cfs_throttled_periods_total[5m]) / rate(container_cpu_cfs_periods_total[5m])', 0.55, 0.01),
    ]),
  pod_cpu_overload: (target) =>
    slow(target, [
      firing(
        target,
        target.pick(['PodCpuHigh', 'HighCpuUsage', 'CpuSaturation']),
        `CPU usage of ${target.app.name} is at ${target.pick(['97%', '99%', '95%'])} of its limit`,
      ),
      query(
        target,
        'sum by (app) (rate(container_cpu_usage_seconds_total[5m])) / sum by (app) (kube_pod_container_resource_limits{resource="cpu"})',
        0.98,
        0.12,
      ),
    ]),
  thread_or_handle_exhaustion: (target) =>
    complaining(
      target,
      target.pick([
        'accept tcp [::]: accept4: too many open files',
        'java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process limits reached',
        'Error: EMFILE: too many open files, watch',
      ]),
    ),
  connection_pool_exhausted: (target) =>
    complaining(
      target,
      target.pick([
        'pool timeout: no free connection within 5s (in use 20 of 20)',
        'HikariPool-1 - Connection is not available, request timed out after 30000ms (total=10, active=10, idle=0, waiting=41)',
        'sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out',
      ]),
    ),
  evicted: (target) => {
    const { app } = target
    const message = target.pick([
      'The node was low on resource: ephemeral-storage. Threshold quantity: 2Gi, available: 1100Mi. Container main was using 9Gi, request is 0.',
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 71Mi. Container main was using 2100Mi, request is 64Mi.',
      'Usage of EmptyDir volume "scratch" exceeds the limit "1Gi".',
    ])
    return {
      component: `app/${app.name}`,
      question: target.pick([
        `Pods of ${app.name} disappear.`,
        'Calls failed a few minutes ago and still do in part.',
        'What happened to the pods?',
      ]),
      reports: {
        [app.name]: {
          phase: 'Failed',
          reason: 'Evicted',
          message,
          container: { state: ended(137, 'Error', 0.05), ready: false },
          isOnlyNewest: true,
        },
      },
      events: [{ about: { app: app.name }, reason: 'Evicted', message, first: 4, last: 2, count: 1 }],
      logs: victims(target, 'connection refused'),
    }
  },
  job_stuck: (target) => {
    const name = target.pick(['nightly-invoices', 'rates-import', 'thumbnails'])
    const spec = {
      template: {
        metadata: { labels: { app: name } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example/batch:2' }] },
      },
    }
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { ...spec, activeDeadlineSeconds: 2, backoffLimit: 0 } }
    return {
      component: `app/${name}`,
      question: target.pick([`${name} did not finish.`, 'The reports of tonight are missing.', 'A batch run is overdue.']),
      objects: [job],
      ask: ['job'],
      logs: { [name]: [target.system.line('INFO', 'batch 3 of 40: waiting for lock')] },
    }
  },
}

function killed(target: Target): Fault {
  const { app, system } = target
  const container = target.pick([
    { ...crashing(137, 'OOMKilled', 5) },
    { ...RUNNING, last: ended(137, 'OOMKilled', 0.03), restarts: 4, ready: false },
    { ...crashing(137, 'OOMKilled', 11) },
  ])
  return {
    component: `app/${app.name}`,
    question: target.pick([`${app.name} restarts again and again.`, 'Calls fail in bursts.', `What is wrong with ${system.id}?`]),
    reports: { [app.name]: { phase: 'Running', container } },
    events: [
      {
        about: { app: app.name },
        reason: 'BackOff',
        message: 'Back-off restarting failed container main in pod main',
        first: 12,
        last: 1,
        count: 14,
      },
    ],
    logs: {
      ...victims(target, 'connection reset by peer'),
      [app.name]: [system.line('INFO', 'started'), system.line('INFO', 'loading page 212')],
    },
  }
}

function memory({ app, system }: Target, megabytes: readonly number[]) {
  const own = { app: app.name, pod: `${app.name}-0`, namespace: system.namespace, container: 'main' }
  const others = system.apps.filter(({ name }) => name !== app.name).slice(0, 2)
  const calm = others.map(({ name }) => [{ app: name, namespace: system.namespace }, megabytes.map(() => 90 * MI)] as const)
  return {
    tool: 'metrics',
    args: { query: 'container_memory_working_set_bytes{container="main"}' },
    text: matrix([[own, megabytes.map((each) => each * MI)], ...calm]),
  }
}

/** One sample for each app: high for the one, low for its peers. */
export function query(target: Target, text: string, high: number, low: number) {
  const samples = target.system.apps.map(({ name }) => [{ app: name }, name === target.app.name ? high : low] as const)
  return { tool: 'metrics', args: { query: text }, text: vector(samples) }
}

function slow(target: Target, answers: Fault['answers'] & object): Fault {
  const { app, system, callers } = target
  return {
    component: `app/${app.name}`,
    question: target.pick([
      `${callers[0]?.name ?? app.name} is slow.`,
      'Latency is up.',
      `p99 of ${system.id} is three times what it was.`,
    ]),
    answers: [...answers, callTree(target)],
    logs: victims(target, 'deadline exceeded after 2s'),
  }
}

function complaining(target: Target, error: string): Fault {
  const { app, system } = target
  return {
    component: `app/${app.name}`,
    question: target.pick(['Requests fail.', `${app.name} answers 500.`, `Many errors in ${system.id} since ${hoursAgo(0.3)}.`]),
    logs: { ...victims(target, 'status 500'), [app.name]: [1, 2, 3].map(() => system.line('ERROR', error)) },
  }
}
