import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { KubeConfig } from '@kubernetes/client-node'
import { createApi, type KubernetesApi } from '../../integrations/kubernetes/api.ts'
import { type Fault, hoursAgo, type PodReport, RUNNING, type ToldEvent } from './scenario.ts'
import { appObjects, nodeObject, type System } from './systems.ts'

const run = promisify(execFile)
/** How long nothing new may come before the controllers are taken to be done. */
const QUIET_MS = 1_500
const LOOK_MS = 300
const MAX_LOOKS = 60
/** Until the API server holds to a new policy. */
const POLICY_MS = 5_000
/** A scheduler that says nothing has to be waited for. */
const SILENCE_MS = 40_000

/** kubectl of the control plane, as an engineer would type it. @returns what it printed, errors included, as an engineer sees them */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>

export function kubectlOf(program: string, kubeconfig: string): Kubectl {
  return async (args, input) => {
    const running = run(program, ['--kubeconfig', kubeconfig, ...args], { maxBuffer: 20_000_000 })
    if (input !== undefined) running.child.stdin?.end(input)
    try {
      return (await running).stdout
    } catch (error) {
      return String((error as { stderr?: string }).stderr ?? error)
    }
  }
}

interface Pod {
  metadata: {
    name: string
    namespace: string
    uid: string
    creationTimestamp: string
    labels: Record<string, string>
    deletionTimestamp?: string
  }
  spec: { nodeName?: string; containers: { name: string; image: string }[] }
  status: { conditions?: { type: string }[]; phase: string; startTime?: string }
}

export interface StagedCluster {
  /** Puts a system with a fault on the cluster, and waits until the controllers have done what they do about it. */
  stage(system: System, fault: Fault): Promise<readonly Pod[]>
  /** Removes what `stage` made, by name: never what was there before. */
  clear(system: System, fault: Fault): Promise<void>
  /** @throws Error where the cluster has nodes already: it is somebody's. */
  refuseIfInUse(): Promise<void>
}

/** A real control plane without nodes: what a kubelet would write is written here. */
export function createStagedCluster(kubectl: Kubectl, kubeconfig: string): StagedCluster {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const api = createApi({ ok: true, config, context: config.getCurrentContext() }, { now: () => new Date(), impersonateGroup: null })
  const apply = async (objects: readonly object[]): Promise<void> => {
    const said = await kubectl(['apply', '--validate=false', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    // What the cluster refuses may be the fault itself; what it does not understand is a slip of a scenario.
    if (/BadRequest|error validating|unable to recognize|no matches for kind|Invalid value|strict decoding/.test(said))
      throw new Error(said)
  }
  return {
    async stage(system, fault) {
      const { namespace } = system
      const objects = namespaced(fault, namespace)
      await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
      for (const i of system.nodes.keys()) await api.post('/api/v1/nodes', nodeObject(system, i, fault.nodes?.[i]), { asGroup: false })
      await apply([...noise(namespace), ...objects])
      if (JSON.stringify(objects).includes('ValidatingAdmissionPolicy')) await pause(POLICY_MS)
      await until(async () => !(await kubectl(['get', 'serviceaccount', 'default', '-n', namespace])).includes('not found'))
      signalScheduler(fault, kubeconfig, 'SIGSTOP')
      await apply(system.apps.flatMap((app) => appObjects(system, app, fault.changes?.[app.name])))
      if (fault.withoutScheduler) await pause(SILENCE_MS)
      const pods = await settle(api, system, fault)
      await writeEvents(api, namespace, [...oldEvents(system), ...(fault.events ?? [])], pods)
      await pause(QUIET_MS)
      return pods
    },
    async clear(system, fault) {
      const { namespace, nodes } = system
      signalScheduler(fault, kubeconfig, 'SIGCONT')
      await kubectl(['delete', 'namespace', namespace, '--wait=false'])
      await kubectl(['delete', 'pods', '--all', '-n', namespace, '--force', '--grace-period=0'])
      await kubectl(['delete', 'node', ...nodes])
      for (const { kind, metadata } of (fault.objects ?? []) as readonly Named[])
        if (CLUSTER_WIDE.includes(kind) && kind !== 'Namespace') await kubectl(['delete', kind, metadata.name, '--wait=false'])
    },
    async refuseIfInUse() {
      const nodes = await kubectl(['get', 'nodes', '-o', 'name'])
      if (nodes.trim() !== '') throw new Error('this cluster has nodes: cases are recorded on an empty control plane only')
    },
  }
}

interface Named {
  kind: string
  metadata: { name: string }
}

const CLUSTER_WIDE = ['PersistentVolume', 'StorageClass', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'Namespace']

function namespaced({ objects = [] }: Fault, namespace: string): object[] {
  return (objects as readonly Named[]).map((object) =>
    CLUSTER_WIDE.includes(object.kind) ? object : { ...object, metadata: { namespace, ...object.metadata } },
  )
}

/** The pid is known where the control plane is one of the peers': its files lie together. */
function signalScheduler({ withoutScheduler }: Fault, kubeconfig: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
  if (withoutScheduler) process.kill(Number(readFileSync(join(dirname(kubeconfig), 'kube-scheduler.pid'), 'utf8')), signal)
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    if (await isDone()) return
    await pause(LOOK_MS)
  }
}

/** Writes the status of every pod that has a node, until no new ones come. */
async function settle(api: KubernetesApi, system: System, fault: Fault): Promise<Pod[]> {
  const written = new Set<string>()
  let quietSince = Date.now()
  let pods: Pod[] = []
  for (let look = 0; look < MAX_LOOKS && Date.now() - quietSince < QUIET_MS; look += 1) {
    const { items } = (await api.get(`/api/v1/namespaces/${system.namespace}/pods`)) as { items: Pod[] }
    pods = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const fresh = pods.filter(({ metadata, spec }) => spec.nodeName !== undefined && !written.has(metadata.name))
    for (const pod of fresh) {
      written.add(pod.metadata.name)
      const app = appOf(pod)
      const isFirst = pods.find((each) => appOf(each) === app) === pod
      const report = fault.reports?.[app]
      await writeStatus(api, pod, report && !(report.isOnlyNewest && !isFirst) ? report : null, isDecoy(system, app))
    }
    if (fresh.length > 0 || pods.length === 0) quietSince = Date.now()
    await pause(LOOK_MS)
  }
  return pods
}

function appOf({ metadata }: Pod): string {
  return metadata.labels['app'] ?? metadata.name.replace(/-[a-z0-9]+-[a-z0-9]{5}$/, '')
}

/** One app of each system was killed for its memory, days ago, and is well since. */
function isDecoy(system: System, app: string): boolean {
  return system.apps.at(-1)?.name === app
}

async function writeStatus(api: KubernetesApi, pod: Pod, report: PodReport | null, wasKilled: boolean): Promise<void> {
  const own = report?.container ?? (wasKilled ? { ...RUNNING, restarts: 1, last: OLD_KILL } : RUNNING)
  const isReady = own.ready
  const now = new Date().toISOString()
  const kept = (pod.status.conditions ?? []).filter(({ type }) => type === 'PodScheduled')
  const why = isReady ? {} : { reason: 'ContainersNotReady', message: 'containers with unready status: [main]' }
  const conditions = ['Initialized', 'Ready', 'ContainersReady'].map((type) => ({
    type,
    status: type === 'Initialized' || isReady ? 'True' : 'False',
    lastTransitionTime: now,
    ...(type === 'Initialized' ? {} : why),
  }))
  const containerStatuses = pod.spec.containers.map(({ name, image }, i) => {
    const { state, last, restarts = 0, ready } = i === 0 ? own : RUNNING
    return { name, image, imageID: '', ready, started: ready, restartCount: restarts, state, lastState: last ?? {} }
  })
  const status = {
    phase: report?.phase ?? 'Running',
    ...(report?.reason ? { reason: report.reason, message: report.message } : {}),
    conditions: [...kept, ...conditions],
    containerStatuses,
    startTime: report ? hoursAgo(0.25) : hoursAgo(70),
    hostIP: '10.2.0.10',
    podIP: addressOf(pod),
    podIPs: [{ ip: addressOf(pod) }],
  }
  const { namespace, name } = pod.metadata
  await api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, [{ op: 'replace', path: '/status', value: status }], {})
}

const OLD_KILL = { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: hoursAgo(96), finishedAt: hoursAgo(71) } }

function addressOf({ metadata }: Pod): string {
  const [a = 0, b = 0] = Buffer.from(metadata.uid.replaceAll('-', ''), 'hex')
  return `10.244.${a % 8}.${(b % 250) + 2}`
}

async function writeEvents(api: KubernetesApi, namespace: string, events: readonly ToldEvent[], pods: readonly Pod[]): Promise<void> {
  for (const [i, event] of events.entries()) {
    const { about } = event
    const objects =
      'app' in about
        ? pods.filter((pod) => appOf(pod) === about.app).map(({ metadata }) => ({ kind: 'Pod', name: metadata.name }))
        : [about]
    for (const object of objects.slice(0, 2)) {
      const body = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${object.name}.${Date.now().toString(16)}${i}`, namespace },
        // Of a node the platform tells in the default namespace; here it is the one that is asked.
        involvedObject: { ...object, apiVersion: 'v1', namespace },
        reason: event.reason,
        message: event.message,
        type: event.type ?? 'Warning',
        count: event.count,
        firstTimestamp: hoursAgo(event.first / 60),
        lastTimestamp: hoursAgo(event.last / 60),
        source: { component: 'kubelet' },
      }
      await api.post(`/api/v1/namespaces/${namespace}/events`, body, { asGroup: false })
    }
  }
}

/** What is told of yesterday's troubles, by apps that are well. */
function oldEvents({ apps }: System): ToldEvent[] {
  const [first, second] = apps.slice(-2).map(({ name }) => name)
  const back = 'Back-off restarting failed container main in pod main'
  return [
    { about: { app: second ?? '' }, reason: 'BackOff', message: back, first: 58, last: 52, count: 9 },
    {
      about: { app: first ?? '' },
      reason: 'Unhealthy',
      message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
      first: 49,
      last: 48,
      count: 3,
    },
  ]
}

function noise(namespace: string): object[] {
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace }, data: { LOG_LEVEL: 'info' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'session-keys', namespace }, stringData: { key: 'not-a-real-one' } },
  ]
}
