import { type AppChange, crashing, type Fault, type PodReport, type Scenarios, type Target, type ToldEvent, waiting } from '../scenario.ts'

export const startScenarios: Scenarios = {
  missing_secret_binding: (target) => {
    const name = target.pick(['payment-provider', 'db-login', 'media-token'])
    if (target.variant === 1) return unmounted(target, name, 'secret')
    const message = target.pick([`secret "${name}" not found`, '', `couldn't find key token in Secret ${target.system.namespace}/${name}`])
    return unconfigured(target, { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name, key: 'token' } } }] }, message)
  },
  missing_config_map: (target) => {
    const name = target.pick(['routes', 'feature-set', 'ranking'])
    if (target.variant === 2) return unmounted(target, name, 'configmap')
    const message = target.pick([`configmap "${name}" not found`, `couldn't find key mode in ConfigMap ${target.system.namespace}/${name}`])
    return unconfigured(target, { env: [{ name: 'MODE', valueFrom: { configMapKeyRef: { name, key: 'mode' } } }] }, message)
  },
  missing_service_account: (target) => ({
    component: `app/${target.app.name}`,
    question: target.pick([
      'Some requests fail since the last deployment.',
      `Where are the pods of ${target.app.name}?`,
      'The site is down in part. What is wrong?',
    ]),
    changes: { [target.app.name]: { pod: { serviceAccountName: target.pick(['store-reader', `${target.app.name}-sa`, 'workload-id']) } } },
    ask: target.variant === 0 ? ['replicaset', 'serviceaccount'] : ['replicaset'],
    logs: victims(target, 'connection refused'),
  }),
  volume_mount_permission_denied: (target) =>
    crashed(
      target,
      target.pick([
        'open /var/lib/app/data.lock: permission denied',
        'java.io.FileNotFoundException: /data/index/segments (Permission denied)',
        "Error: EACCES: permission denied, open '/uploads/tmp'",
      ]),
      {
        pod: {
          securityContext: { runAsUser: 1000 },
          volumes: [{ name: 'data', hostPath: { path: '/srv/data' } }],
        },
        container: { volumeMounts: [{ name: 'data', mountPath: target.pick(['/var/lib/app', '/data/index', '/uploads']) }] },
      },
    ),
  service_sidecar_port_conflict: (target) =>
    crashed(
      target,
      target.pick([
        `listen tcp :${target.app.port}: bind: address already in use`,
        `java.net.BindException: Address already in use (port ${target.app.port})`,
        `Error: listen EADDRINUSE: address already in use :::${target.app.port}`,
      ]),
      {
        sidecars: [
          {
            name: target.pick(['metrics-proxy', 'mesh', 'log-agent']),
            image: 'example/sidecar:1',
            ports: [{ containerPort: target.app.port }],
          },
        ],
      },
    ),
  crash_on_start: (target) =>
    crashed(
      target,
      target.pick([
        'panic: runtime error: index out of range [3] with length 3',
        'Exception in thread "main" java.lang.IllegalStateException: schema version 41 is newer than 40',
        "TypeError: Cannot read properties of undefined (reading 'shards')",
      ]),
      {},
    ),
}

function unconfigured(target: Target, container: object, message: string): Fault {
  const { app } = target
  return {
    component: `app/${app.name}`,
    question: `${app.name} does not come up. Why?`,
    changes: { [app.name]: { container } },
    reports: { [app.name]: { phase: 'Pending', container: waiting('CreateContainerConfigError', message) } },
    events: [{ about: { app: app.name }, reason: 'Failed', message: `Error: ${message}`, first: 9, last: 1, count: 44 }],
    logs: victims(target, 'connection refused'),
  }
}

function unmounted(target: Target, name: string, kind: 'secret' | 'configmap'): Fault {
  const { app } = target
  const source = kind === 'secret' ? { secret: { secretName: name } } : { configMap: { name } }
  const event: ToldEvent = {
    about: { app: app.name },
    reason: 'FailedMount',
    message: `MountVolume.SetUp failed for volume "conf" : ${kind} "${name}" not found`,
    first: 14,
    last: 1,
    count: 13,
  }
  return {
    component: `app/${app.name}`,
    question: 'What keeps the release from finishing?',
    changes: {
      [app.name]: {
        pod: { volumes: [{ name: 'conf', ...source }] },
        container: { volumeMounts: [{ name: 'conf', mountPath: '/etc/conf' }] },
      },
    },
    reports: { [app.name]: { phase: 'Pending', container: waiting('ContainerCreating', '') } },
    events: [event],
    logs: victims(target, 'no route to host'),
  }
}

/** It says its error and ends, again and again. */
export function crashed(target: Target, error: string, change: AppChange): Fault {
  const { app, system } = target
  const report: PodReport = { phase: 'Running', container: crashing(1) }
  return {
    component: `app/${app.name}`,
    question: target.pick([
      `Errors in ${system.id} since a quarter of an hour.`,
      `${app.name} restarts. Why?`,
      'What is wrong in this namespace?',
    ]),
    changes: { [app.name]: change },
    reports: { [app.name]: report },
    events: [
      {
        about: { app: app.name },
        reason: 'BackOff',
        message: 'Back-off restarting failed container main in pod main',
        first: 13,
        last: 1,
        count: 31,
      },
    ],
    logs: { ...victims(target, 'connection refused'), [app.name]: [system.line('INFO', 'starting'), system.line('ERROR', error)] },
  }
}

/** What the callers say of a service that does not answer. */
export function victims({ app, callers, system }: Target, words: string): Record<string, string[]> {
  return Object.fromEntries(
    callers.map(({ name }) => [
      name,
      [
        system.line('INFO', 'GET / 200 in 11 ms'),
        system.line('ERROR', `call to http://${app.name}:${app.port}/ failed: ${words}`),
        system.line('ERROR', `call to http://${app.name}:${app.port}/ failed: ${words}`),
      ],
    ]),
  )
}
