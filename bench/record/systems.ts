import type { AppChange, NodeChange } from './scenario.ts'

export interface App {
  name: string
  port: number
  calls: readonly string[]
}

/** A system in a namespace of its own, whose apps call each other. */
export interface System {
  id: string
  namespace: string
  registry: string
  apps: readonly App[]
  nodes: readonly string[]
  /** How its programs write a line. */
  line: (level: string, text: string) => string
}

const clock = (): string => new Date().toISOString()

export const SYSTEMS: readonly [System, System, System] = [
  {
    id: 'garden-store',
    namespace: 'garden',
    registry: 'registry.garden.example/store',
    nodes: ['worker-1', 'worker-2', 'worker-3'],
    line: (level, text) => JSON.stringify({ time: clock(), level: level.toLowerCase(), msg: text }),
    apps: [
      { name: 'webshop', port: 8080, calls: ['basket', 'plants', 'checkout'] },
      { name: 'basket', port: 7070, calls: ['plants'] },
      { name: 'plants', port: 3550, calls: [] },
      { name: 'checkout', port: 5050, calls: ['payment', 'parcels'] },
      { name: 'payment', port: 50051, calls: [] },
      { name: 'parcels', port: 50052, calls: [] },
    ],
  },
  {
    id: 'stay',
    namespace: 'stay-prod',
    registry: 'eu.gcr.example/stay',
    nodes: ['ip-10-2-0-11', 'ip-10-2-0-12', 'ip-10-2-1-20', 'ip-10-2-1-21'],
    line: (level, text) => `${clock()} ${level.padEnd(5)} [main] com.stay.Server : ${text}`,
    apps: [
      { name: 'frontdesk', port: 5000, calls: ['room-search', 'reservation', 'guest'] },
      { name: 'room-search', port: 8082, calls: ['rates', 'geo'] },
      { name: 'rates', port: 8084, calls: [] },
      { name: 'geo', port: 8083, calls: [] },
      { name: 'reservation', port: 8087, calls: ['guest'] },
      { name: 'guest', port: 8086, calls: [] },
    ],
  },
  {
    id: 'chirp',
    namespace: 'chirp',
    registry: 'docker.io/chirpteam',
    nodes: ['pool-a-7d1f', 'pool-a-9c2e'],
    line: (level, text) => `[${level}] ${clock()} ${text}`,
    apps: [
      { name: 'gateway', port: 8000, calls: ['compose', 'timeline'] },
      { name: 'compose', port: 9091, calls: ['media', 'social-graph', 'timeline'] },
      { name: 'timeline', port: 9092, calls: ['social-graph'] },
      { name: 'social-graph', port: 9094, calls: [] },
      { name: 'media', port: 9095, calls: [] },
    ],
  },
]

export function imageOf({ registry }: System, app: string): string {
  return `${registry}/${app}:1.14.2`
}

/** A deployment and the service in front of it. */
export function appObjects(system: System, app: App, change: AppChange = {}): object[] {
  const labels = change.labels ?? { app: app.name }
  const host = (name: string): string => `${name}:${system.apps.find((each) => each.name === name)?.port ?? 80}`
  const container = {
    name: 'main',
    image: imageOf(system, app.name),
    ports: [{ name: 'serve', containerPort: app.port }],
    env: [
      { name: 'LISTEN_PORT', value: String(app.port) },
      ...app.calls.map((name) => ({ name: `${name.replaceAll('-', '_').toUpperCase()}_ADDR`, value: host(name) })),
    ],
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '300m', memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: app.port }, periodSeconds: 10 },
    livenessProbe: { httpGet: { path: '/live', port: app.port }, initialDelaySeconds: 15, periodSeconds: 10 },
    ...change.container,
  }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app.name, namespace: system.namespace, labels: { app: app.name, part: system.id } },
    spec: {
      replicas: change.replicas ?? (Object.keys(change).length > 0 ? 2 : 1),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container, ...(change.sidecars ?? [])], ...change.pod } },
    },
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: app.name, namespace: system.namespace },
    spec: { selector: { app: app.name }, ports: [{ name: 'serve', port: app.port, targetPort: app.port }], ...change.service },
  }
  return change.service === null ? [deployment] : [deployment, service]
}

const WELL = {
  MemoryPressure: { status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
  DiskPressure: { status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
  PIDPressure: { status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
  Ready: { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
}

export function nodeObject(system: System, i: number, change: NodeChange = {}): object {
  const name = system.nodes[i] ?? ''
  const now = clock()
  const conditions = Object.entries({ ...WELL, ...change.conditions }).map(([type, condition]) => ({
    type,
    ...condition,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  }))
  const amounts = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi', ...change.allocatable }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...change.labels } },
    spec: { unschedulable: change.unschedulable ?? false, taints: change.taints ?? [] },
    status: { allocatable: amounts, capacity: amounts, conditions, addresses: [{ type: 'InternalIP', address: `10.2.0.${10 + i}` }] },
  }
}
