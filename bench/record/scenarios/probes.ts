import { type Fault, notReady, type PodReport, type Scenarios, type Target } from '../scenario.ts'
import { victims } from './start.ts'

type Kind = 'liveness' | 'readiness'

export const probeScenarios: Scenarios = {
  liveness_probe_incorrect_port: (target) => wrongPort(target, 'liveness'),
  readiness_probe_incorrect_port: (target) => wrongPort(target, 'readiness'),
  liveness_probe_incorrect_protocol: (target) => wrongProtocol(target, 'liveness'),
  readiness_probe_incorrect_protocol: (target) => wrongProtocol(target, 'readiness'),
  liveness_probe_incorrect_timing: (target) => {
    const { app, system } = target
    const probe = target.pick([
      { httpGet: { path: '/live', port: app.port }, initialDelaySeconds: 1, periodSeconds: 2, failureThreshold: 1 },
      { tcpSocket: { port: app.port }, initialDelaySeconds: 2, periodSeconds: 3, failureThreshold: 2 },
      { httpGet: { path: '/live', port: app.port }, initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 },
    ])
    const refused = `dial tcp 10.244.1.9:${app.port}: connect: connection refused`
    const message = target.pick([
      `Liveness probe failed: Get "http://10.244.1.9:${app.port}/live": ${refused}`,
      `Liveness probe failed: ${refused}`,
      `Liveness probe failed: Get "http://10.244.1.9:${app.port}/live": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    ])
    const starting = ['loading model, this takes about 40 seconds', 'warming caches (1/6)', 'received SIGTERM, shutting down']
    return {
      ...failing(target, 'liveness', probe, message),
      logs: { ...victims(target, 'connection refused'), [app.name]: starting.map((text) => system.line('INFO', text)) },
    }
  },
}

function wrongPort(target: Target, kind: Kind): Fault {
  const { app } = target
  const port = app.port + target.pick([1, 1000, 10])
  const probe = target.variant === 1 ? { tcpSocket: { port } } : { httpGet: { path: '/health', port } }
  const refused = `dial tcp 10.244.1.9:${port}: connect: connection refused`
  const asked = target.variant === 1 ? refused : `Get "http://10.244.1.9:${port}/health": ${refused}`
  return failing(
    target,
    kind,
    { ...probe, periodSeconds: 10, failureThreshold: 3, initialDelaySeconds: 20 },
    `${titled(kind)} probe failed: ${asked}`,
  )
}

function wrongProtocol(target: Target, kind: Kind): Fault {
  const { app } = target
  const url = `Get "http://10.244.1.9:${app.port}/health"`
  const asked = target.pick([
    {
      probe: { httpGet: { path: '/health', port: app.port } },
      said: `${url}: net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00\\x00\\x06"`,
    },
    {
      probe: { httpGet: { path: '/health', port: app.port, scheme: 'HTTPS' } },
      said: `Get "https://10.244.1.9:${app.port}/health": http: server gave HTTP response to HTTPS client`,
    },
    {
      probe: { grpc: { port: app.port } },
      said: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): rpc error: unexpected HTTP status`,
    },
  ])
  return failing(
    target,
    kind,
    { ...asked.probe, initialDelaySeconds: 20, periodSeconds: 10, failureThreshold: 3 },
    `${titled(kind)} probe failed: ${asked.said}`,
  )
}

function failing(target: Target, kind: Kind, probe: object, message: string): Fault {
  const { app, system } = target
  const isLiveness = kind === 'liveness'
  const report: PodReport = { phase: 'Running', container: notReady(isLiveness ? 7 : 0) }
  const about = { app: app.name }
  const killing = {
    about,
    type: 'Normal' as const,
    reason: 'Killing',
    message: 'Container main failed liveness probe, will be restarted',
    first: 11,
    last: 1,
    count: 7,
  }
  return {
    component: `app/${app.name}`,
    question: target.pick([`${app.name} is not ready although it runs.`, 'Calls fail now and then.', `What is wrong with ${app.name}?`]),
    changes: { [app.name]: { container: { [`${kind}Probe`]: probe } } },
    reports: { [app.name]: report },
    events: [{ about, reason: 'Unhealthy', message, first: 11, last: 1, count: 22 }, ...(isLiveness ? [killing] : [])],
    logs: {
      ...victims(target, 'connection refused'),
      [app.name]: [
        system.line('INFO', `listening on port ${app.port}`),
        ...(isLiveness ? [system.line('INFO', 'received SIGTERM, shutting down')] : []),
      ],
    },
  }
}

function titled(kind: Kind): string {
  return kind === 'liveness' ? 'Liveness' : 'Readiness'
}
