import type { AppChange, Fault, Scenarios, Target } from '../scenario.ts'
import { firing } from '../told.ts'
import { query } from './runtime.ts'
import { victims } from './start.ts'

export const serviceScenarios: Scenarios = {
  service_selector_mismatch: (target) =>
    unreached(
      target,
      {
        service: {
          selector: target.pick([{ app: `${target.app.name}-v2` }, { app: target.app.name, track: 'stable' }, { name: target.app.name }]),
        },
      },
      'connection refused',
    ),
  service_port_mapping_mismatch: (target) =>
    unreached(
      target,
      {
        service: {
          ports: [{ name: 'serve', port: target.app.port, targetPort: target.pick<number | string>([target.app.port + 1, 9999, 'grpc']) }],
        },
      },
      'connection refused',
    ),
  service_protocol_mismatch: (target) =>
    unreached(
      target,
      {
        service: {
          ports: [
            {
              name: target.pick(['serve', 'grpc', 'https']),
              port: target.app.port,
              targetPort: target.app.port,
              ...target.pick<object>([{ protocol: 'UDP' }, { appProtocol: 'grpc' }, { appProtocol: 'https' }]),
            },
          ],
        },
      },
      target.pick([
        'read udp: connection timed out',
        'rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: http2: frame too large"',
        'tls: first record does not look like a TLS handshake',
      ]),
    ),
  service_env_var_address_mismatch: (target) => {
    const { app, callers, system } = target
    const caller = callers[0] ?? app
    const wrong = target.pick([`${app.name}:${app.port + 7}`, `${app.name}-svc:${app.port}`, `${app.name.slice(0, -1)}:${app.port}`])
    const host = wrong.split(':')[0] ?? ''
    const words = target.pick([
      `dial tcp 10.0.3.4:${app.port + 7}: connect: connection refused`,
      `java.net.UnknownHostException: ${host}`,
      `getaddrinfo ENOTFOUND ${host}`,
    ])
    const variable = `${app.name.replaceAll('-', '_').toUpperCase()}_ADDR`
    const env = [
      { name: 'LISTEN_PORT', value: String(caller.port) },
      { name: variable, value: wrong },
    ]
    return {
      component: `app/${caller.name}`,
      question: target.pick([`${caller.name} fails.`, `${caller.name} answers 502 since its last change.`, 'Why do requests fail?']),
      changes: { [caller.name]: { container: { env } } },
      logs: { [caller.name]: [1, 2, 3].map(() => system.line('ERROR', `calling ${wrong}: ${words}`)) },
    }
  },
  service_dns_resolution_failure: (target) => {
    const { app, callers, system } = target
    const caller = callers[0] ?? app
    const unresolved = callers.length > 1 ? app : caller
    const words = target.pick([
      `lookup ${app.name} on 10.96.0.10:53: read udp: i/o timeout`,
      `java.net.UnknownHostException: ${app.name}: Temporary failure in name resolution`,
      `getaddrinfo EAI_AGAIN ${app.name}`,
    ])
    return {
      component: `app/${unresolved.name}`,
      question: target.pick([`${caller.name} reports failures.`, 'Calls between services fail.', `Is ${app.name} down?`]),
      logs: Object.fromEntries(
        callers.map(({ name }) => [name, [1, 2].map(() => system.line('ERROR', `call to ${app.name} failed: ${words}`))]),
      ),
      answers: [
        { tool: 'connectivity', args: { from: caller.name, to: app.name, port: app.port }, text: `could not resolve host: ${app.name}` },
      ],
    }
  },
  gateway_misroute: (target) => {
    const { app, system } = target
    const wrong = target.pick([`${app.name}-old`, `${app.name}-api`, `${app.name}s`])
    const path = (to: string, port: number, at: string): object => ({
      path: at,
      pathType: 'Prefix',
      backend: { service: { name: to, port: { number: port } } },
    })
    const front = system.apps[0]?.name ?? ''
    const paths = [path(front, system.apps[0]?.port ?? 80, '/'), path(wrong, app.port, `/${app.name}`)]
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'public' },
      spec: { rules: [{ host: `${system.id}.example`, http: { paths } }] },
    }
    return {
      component: 'app/public',
      question: target.pick([
        `/${app.name} answers 503 from outside, inside it works.`,
        'One path of the site fails.',
        `404 for everything below /${app.name}.`,
      ]),
      objects: [ingress],
      ask: ['ingress'],
    }
  },
  deployment_zero_replicas: (target) => unreached(target, { replicas: 0 }, 'connection refused'),
  insufficient_replicas: (target) => {
    const { app } = target
    const max = target.pick([2, 3, 2])
    const scaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: app.name },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: app.name },
        minReplicas: max,
        maxReplicas: max,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }],
      },
    }
    return {
      component: `app/${app.name}`,
      question: target.pick([
        `${app.name} is slow under the load of today.`,
        'Latency grows with traffic.',
        `Requests to ${app.name} queue up.`,
      ]),
      objects: [scaler],
      changes: { [app.name]: { replicas: max } },
      ask: ['hpa'],
      answers: [
        firing(
          target,
          target.pick(['HpaMaxedOut', 'KubeHpaMaxedOut', 'AutoscalerAtMaximum']),
          `HPA ${app.name} has been at its maximum of ${max} replicas for 15 minutes`,
        ),
        query(
          target,
          'sum by (app) (rate(container_cpu_usage_seconds_total[5m])) / sum by (app) (kube_pod_container_resource_limits{resource="cpu"})',
          0.93,
          0.15,
        ),
      ],
    }
  },
}

function unreached(target: Target, change: AppChange, words: string): Fault {
  const { app, callers } = target
  return {
    component: `app/${app.name}`,
    question: target.pick([`${callers[0]?.name ?? app.name} fails.`, 'A part of the site answers errors.', `Nobody reaches ${app.name}.`]),
    changes: { [app.name]: change },
    logs: victims(target, words),
    answers: [
      {
        tool: 'connectivity',
        args: { from: callers[0]?.name ?? '', to: app.name, port: app.port },
        text: `connect to ${app.name}:${app.port}: ${words}`,
      },
    ],
  }
}
