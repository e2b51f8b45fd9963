import type {
  Condition,
  NetworkPolicyState,
  NodeState,
  QuotaState,
  RouteState,
  ServiceState,
  VolumeState,
  WorkloadState,
} from '../ports/cluster-state.ts'
import { type Section, sectionNamed, textOf, valuesOf } from './describe.ts'
import { podSpecOfDescription } from './described-pods.ts'
import { quantityIn } from './quantities.ts'
import { endpointsOfRow, modesIn } from './rows.ts'
import { labelsIn } from './tables.ts'

export function serviceOfDescription(sections: readonly Section[]): ServiceState {
  const ports = sections.flatMap(({ key, value }, i) => {
    if (key !== 'Port') return []
    const [, name, port, protocol] = /^(\S+)\s+(\d+)\/(\w+)/.exec(value) ?? []
    const target = /^([\w-]+)\//.exec(sections.slice(i + 1).find((next) => next.key === 'TargetPort')?.value ?? '')?.[1]
    if (port === undefined) return []
    const isNumber = /^\d+$/.test(target ?? '')
    return [
      {
        name: name === undefined || name === '<unset>' ? null : name,
        port: Number(port),
        target: target === undefined ? null : isNumber ? Number(target) : target,
        protocol: protocol ?? 'TCP',
        appProtocol: null,
      },
    ]
  })
  const endpoints = sections.filter(({ key }) => key === 'Endpoints')
  return {
    name: textOf(sections, 'Name') ?? '',
    type: textOf(sections, 'Type') ?? 'ClusterIP',
    selector: labelsIn(valuesOf(sections, 'Selector').join(',')),
    ports,
    endpoints: endpoints.length === 0 ? null : endpoints.flatMap(({ value }) => endpointsOfRow({ ENDPOINTS: value }).endpoints),
    externalName: textOf(sections, 'External Name'),
  }
}

export function nodeOfDescription(sections: readonly Section[]): NodeState {
  const allocatable = sectionNamed(sections, 'Allocatable')?.children
  const requested = sectionNamed(sections, 'Allocated resources')?.children ?? []
  const requestOf = (resource: string): number | null =>
    quantityIn(requested.map(({ line }) => line.split(/\s+/)).find(([name]) => name === resource)?.[1])
  return {
    name: textOf(sections, 'Name') ?? '',
    labels: labelsIn(valuesOf(sections, 'Labels').join(',')),
    unschedulable: textOf(sections, 'Unschedulable') === 'true',
    taints: valuesOf(sections, 'Taints').flatMap((text) => {
      const [, key, value, effect] = /^([^=:\s]+)(?:=([^:]*))?:(\w+)$/.exec(text) ?? []
      return key === undefined || effect === undefined ? [] : [{ key, value: value ?? null, effect }]
    }),
    conditions: (sectionNamed(sections, 'Conditions')?.children ?? []).flatMap(({ line }) => conditionIn(line)),
    allocatable: { cpu: quantityIn(textOf(allocatable, 'cpu')), memory: quantityIn(textOf(allocatable, 'memory')) },
    requested: { cpu: requestOf('cpu'), memory: requestOf('memory') },
    createdAt: null,
  }
}

/** Type, Status, two times, Reason, Message; the times and what follows may be missing. */
function conditionIn(line: string): Condition[] {
  const [type = '', status = '', , changed, reason, ...message] = line.split(/\s{2,}/)
  if (status !== 'True' && status !== 'False' && status !== 'Unknown') return []
  const time = Date.parse(changed ?? '')
  return [{ type, status, reason: reason ?? null, message: message.join(' ') || null, since: Number.isNaN(time) ? null : new Date(time) }]
}

/** `pods  6  8` below a heading. */
export function quotaOfDescription(sections: readonly Section[]): QuotaState {
  const limits = sections
    .flatMap(({ line, children }) => [line, ...children.map((child) => child.line)])
    .flatMap((line) => {
      const [, resource = '', used, hard] = /^([a-z][\w./-]*)\s+(\S+)\s+(\S+)$/.exec(line) ?? []
      return limitOf(resource, used, hard)
    })
  return { name: textOf(sections, 'Name') ?? '', limits }
}

/** Characters: there are some twenty resources a quota can be on. */
const MAX_QUOTA = 2_000

/** `pods: 6/8, requests.cpu: 1/2`, in whatever columns they stand. */
export function quotaOfRow(row: Readonly<Record<string, string>>): QuotaState {
  const all = Object.values(row).join(', ').slice(0, MAX_QUOTA)
  const limits = [...all.matchAll(/([a-z][\w./-]*): ([^\s/,]+)\/([^\s/,]+)/g)].flatMap(([, resource = '', used, hard]) =>
    limitOf(resource, used, hard),
  )
  return { name: row['NAME'] ?? '', limits }
}

function limitOf(resource: string, used: string | undefined, hard: string | undefined): QuotaState['limits'][number][] {
  const [most, now] = [quantityIn(hard), quantityIn(used)]
  return most === null || now === null ? [] : [{ resource, used: now, hard: most }]
}

/** Hosts stand in lines of their own, paths with their backends below them. */
export function routeOfDescription(sections: readonly Section[]): RouteState {
  let host: string | null = null
  const lines = (sectionNamed(sections, 'Rules')?.children ?? []).flatMap(({ line, children }) => [
    line,
    ...children.map((child) => child.line),
  ])
  const rules = lines.flatMap((line) => {
    const [, path, service, port] = /(?:^|\s)(\/\S*)\s+([\w.-]+):([\w-]+)(?: \(|$)/.exec(line) ?? []
    if (path === undefined && /^[\w.*-]+$/.test(line)) host = line === '*' ? null : line
    if (path === undefined || service === undefined || port === undefined) return []
    return [{ host, path, service, port: /^\d+$/.test(port) ? Number(port) : port }]
  })
  return { name: textOf(sections, 'Name') ?? '', rules }
}

export function volumeOfDescription(sections: readonly Section[]): VolumeState {
  return {
    name: textOf(sections, 'Name') ?? '',
    phase: textOf(sections, 'Status') ?? '',
    storageClass: textOf(sections, 'StorageClass'),
    accessModes: modesIn(textOf(sections, 'Access Modes') ?? ''),
    capacity: quantityIn(textOf(sections, 'Capacity')),
    claim: textOf(sections, 'Claim'),
    labels: labelsIn(valuesOf(sections, 'Labels').join(',')),
  }
}

/** The rules are told as sentences: which direction is isolated, and what it allows. */
export function networkPolicyOfDescription(sections: readonly Section[]): NetworkPolicyState {
  const spec = sectionNamed(sections, 'Spec')?.children
  const types = (textOf(spec, 'Policy Types') ?? '').toLowerCase()
  const directions = (['ingress', 'egress'] as const).filter((direction) => types.includes(direction))
  return {
    name: textOf(sections, 'Name') ?? '',
    selector: labelsIn(sectionNamed(spec, 'PodSelector')?.value ?? ''),
    directions,
    allows: directions.flatMap((direction) => allowsOf(direction, spec)),
    createdAt: null,
  }
}

function allowsOf(direction: 'ingress' | 'egress', spec: readonly Section[] | undefined): NetworkPolicyState['allows'][number][] {
  const section = sectionNamed(spec, `Allowing ${direction} traffic`)
  const all = (section?.children ?? []).flatMap(({ line, children }) => [line, ...children.map((child) => child.line)])
  if (all.length === 0 || all.some((line) => line.startsWith('<none>'))) return []
  return [
    {
      direction,
      peers: all.flatMap((line) => {
        const told = /PodSelector: (.+)$/.exec(line)?.[1]
        return told === undefined ? [] : [labelsIn(told)]
      }),
      ports: all.flatMap((line) => (/^To Port: (\d+)/.exec(line)?.[1] ?? []) as string[]).map(Number),
    },
  ]
}

/** What a described deployment or its like adds to its row. */
export function workloadOfDescription(sections: readonly Section[], row: WorkloadState): WorkloadState {
  const template = sectionNamed(sections, 'Pod Template')?.children
  const desired = /(\d+) desired/.exec(textOf(sections, 'Replicas') ?? '')?.[1]
  const available = /(\d+) available/.exec(textOf(sections, 'Replicas') ?? '')?.[1]
  const conditions = (sectionNamed(sections, 'Conditions')?.children ?? []).flatMap(({ line }): Condition[] => {
    const [type = '', status = '', reason] = line.split(/\s{2,}/)
    return status === 'True' || status === 'False' || status === 'Unknown'
      ? [{ type, status, reason: reason ?? null, message: null, since: null }]
      : []
  })
  return {
    ...row,
    labels: labelsIn(valuesOf(sections, 'Labels').join(',')),
    selector: labelsIn(valuesOf(sections, 'Selector').join(',')),
    desired: row.desired ?? (desired === undefined ? null : Number(desired)),
    ready: row.ready ?? (available === undefined ? null : Number(available)),
    available: row.available ?? (available === undefined ? null : Number(available)),
    conditions: conditions.length > 0 ? conditions : row.conditions,
    template: row.template ?? (template ? podSpecOfDescription(template) : null),
    templateLabels: template ? labelsIn(valuesOf(template, 'Labels').join(',')) : row.templateLabels,
  }
}
