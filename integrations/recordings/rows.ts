import type {
  ClaimState,
  NamedKeys,
  NetworkPolicyState,
  NodeState,
  PlatformEvent,
  ServiceState,
  StorageClassState,
  VolumeState,
  WorkloadState,
} from '../ports/cluster-state.ts'
import { type Section, textOf } from './describe.ts'
import { quantityIn } from './quantities.ts'
import { labelsIn, momentOf } from './tables.ts'

type Row = Record<string, string>

const MODES: Readonly<Record<string, string>> = {
  RWO: 'ReadWriteOnce',
  ROX: 'ReadOnlyMany',
  RWX: 'ReadWriteMany',
  RWOP: 'ReadWriteOncePod',
}

export function workloadOfRow(kind: string, row: Row, at: Date): WorkloadState {
  const [ready, wanted] = (row['READY'] ?? '').split('/').map(Number)
  const desired = wanted ?? countIn(row['DESIRED'])
  return {
    kind,
    name: row['NAME'] ?? '',
    labels: labelsIn(row['LABELS']),
    selector: labelsIn(row['SELECTOR']),
    desired: desired ?? null,
    ready: wanted === undefined ? countIn(row['READY']) : (ready ?? null),
    available: countIn(row['AVAILABLE']),
    updated: countIn(row['UP-TO-DATE']),
    autoscaling: null,
    // Of a job: Running, Complete, Failed, …
    conditions: row['STATUS'] ? [{ type: row['STATUS'], status: 'True', reason: null, message: null, since: null }] : [],
    template: null,
    templateLabels: {},
    createdAt: momentOf(row['AGE'], at),
    rolledOutAt: null,
  }
}

export function serviceOfRow(row: Row): ServiceState {
  const ports = (row['PORT(S)'] ?? '').split(',').flatMap((text) => {
    const [, port, protocol] = /^(\d+)(?::\d+)?\/(\w+)$/.exec(text.trim()) ?? []
    return port === undefined ? [] : [{ name: null, port: Number(port), target: null, protocol: protocol ?? 'TCP', appProtocol: null }]
  })
  return {
    name: row['NAME'] ?? '',
    type: row['TYPE'] ?? 'ClusterIP',
    selector: labelsIn(row['SELECTOR']),
    ports,
    endpoints: null,
    externalName: null,
  }
}

/** `10.1.0.4:8080,10.1.0.5:8080`, or `<none>`. */
export function endpointsOfRow(row: Row): { name: string; endpoints: string[] } {
  const endpoints = (row['ENDPOINTS'] ?? '').split(',').filter((each) => /^[\d.:a-f]+:\d+$/.test(each))
  return { name: row['NAME'] ?? '', endpoints }
}

export function nodeOfRow(row: Row, at: Date): NodeState {
  const status = row['STATUS'] ?? ''
  return {
    name: row['NAME'] ?? '',
    labels: labelsIn(row['LABELS']),
    unschedulable: status.includes('SchedulingDisabled'),
    taints: [],
    conditions: [{ type: 'Ready', status: status.startsWith('Ready') ? 'True' : 'False', reason: null, message: null, since: null }],
    allocatable: { cpu: null, memory: null },
    requested: { cpu: null, memory: null },
    createdAt: momentOf(row['AGE'], at),
  }
}

/** What scales a workload by itself: `Deployment/cart`, at least, at most, now. */
export function autoscalerOfRow(row: Row): Autoscaler {
  const max = countIn(row['MAXPODS'])
  const autoscaling = max === null ? null : { min: countIn(row['MINPODS']), max, current: countIn(row['REPLICAS']) }
  return { target: (row['REFERENCE'] ?? '').split('/').at(-1) ?? '', autoscaling }
}

export function autoscalerOfDescription(sections: readonly Section[]): Autoscaler {
  const max = countIn(textOf(sections, 'Max replicas') ?? '')
  const current = /(\d+) current/.exec(sections.find(({ key }) => key.endsWith(' pods'))?.value ?? '')?.[1]
  const autoscaling = max === null ? null : { min: countIn(textOf(sections, 'Min replicas') ?? ''), max, current: countIn(current) }
  return { target: (textOf(sections, 'Reference') ?? '').split('/').at(-1) ?? '', autoscaling }
}

export interface Autoscaler {
  target: string
  autoscaling: WorkloadState['autoscaling']
}

export function claimOfRow(row: Row): ClaimState {
  return {
    name: row['NAME'] ?? '',
    phase: row['STATUS'] ?? '',
    storageClass: row['STORAGECLASS'] || null,
    accessModes: modesIn(row['ACCESS MODES']),
    requested: quantityIn(row['CAPACITY']),
    volume: row['VOLUME'] || null,
    selector: {},
  }
}

export function claimOfDescription(sections: readonly Section[]): ClaimState {
  return {
    name: textOf(sections, 'Name') ?? '',
    phase: textOf(sections, 'Status') ?? '',
    storageClass: textOf(sections, 'StorageClass'),
    accessModes: modesIn(textOf(sections, 'Access Modes') ?? ''),
    requested: quantityIn(textOf(sections, 'Capacity')),
    volume: textOf(sections, 'Volume'),
    selector: {},
  }
}

/** A table tells a policy's name and its pods, and nothing of its rules. */
export function networkPolicyOfRow(row: Row): NetworkPolicyState {
  return { name: row['NAME'] ?? '', selector: labelsIn(row['POD-SELECTOR']), directions: [], allows: [], createdAt: null }
}

export function volumeOfRow(row: Row): VolumeState {
  return {
    name: row['NAME'] ?? '',
    phase: row['STATUS'] ?? '',
    storageClass: row['STORAGECLASS'] || null,
    accessModes: modesIn(row['ACCESS MODES']),
    capacity: quantityIn(row['CAPACITY']),
    claim: row['CLAIM'] || null,
    labels: labelsIn(row['LABELS']),
  }
}

export function storageClassOfRow(row: Row): StorageClassState {
  const name = row['NAME'] ?? ''
  return {
    name: name.replace(/ \(default\)$/, ''),
    provisioner: row['PROVISIONER'] ?? '',
    isDefault: name.endsWith('(default)'),
    bindingMode: row['VOLUMEBINDINGMODE'] || null,
  }
}

export function namedOfRow(row: Row): NamedKeys {
  return { name: row['NAME'] ?? '', keys: null }
}

const KINDS: Readonly<Record<string, string>> = {
  pod: 'Pod',
  node: 'Node',
  deployment: 'Deployment',
  replicaset: 'ReplicaSet',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
  job: 'Job',
  persistentvolumeclaim: 'PersistentVolumeClaim',
}

export function eventOfRow(row: Row, at: Date): PlatformEvent {
  const [kind = '', name = ''] = (row['OBJECT'] ?? '').split('/')
  const when = momentOf(row['LAST SEEN'], at)
  return {
    type: row['TYPE'] === 'Warning' ? 'Warning' : 'Normal',
    reason: row['REASON'] ?? '',
    message: row['MESSAGE'] ?? '',
    object: { kind: KINDS[kind.toLowerCase().replace(/\..*$/, '')] ?? kind, name },
    count: countIn(row['COUNT']) ?? 1,
    firstAt: momentOf(row['FIRST SEEN'], at) ?? when,
    lastAt: when,
  }
}

export function modesIn(text: string | undefined): string[] {
  return (text ?? '').split(',').flatMap((mode) => (mode.trim() === '' ? [] : [MODES[mode.trim()] ?? mode.trim()]))
}

function countIn(text: string | undefined): number | null {
  return /^\d+$/.test(text ?? '') ? Number(text) : null
}
