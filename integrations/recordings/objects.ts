import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import type {
  Amounts,
  ClaimState,
  ContainerSpec,
  Labels,
  PodSpec,
  ProbeSpec,
  QuotaState,
  RouteState,
  ServiceState,
  VolumeState,
} from '../ports/cluster-state.ts'
import { quantityIn } from './quantities.ts'

const labels = z.record(z.string(), z.coerce.string()).nullish()
const amounts = z
  .object({ cpu: z.union([z.string(), z.number()]).nullish(), memory: z.union([z.string(), z.number()]).nullish() })
  .nullish()
const port = z.union([z.number(), z.string()])
const seconds = z.number().nullish()
const probeSchema = z
  .object({
    httpGet: z.object({ port, path: z.string().nullish(), scheme: z.string().nullish() }).nullish(),
    tcpSocket: z.object({ port }).nullish(),
    grpc: z.object({ port }).nullish(),
    initialDelaySeconds: seconds,
    periodSeconds: seconds,
    timeoutSeconds: seconds,
    failureThreshold: seconds,
  })
  .nullish()
const reference = z.object({ name: z.string(), key: z.string().nullish() }).nullish()
const containerSchema = z.object({
  name: z.string(),
  image: z.string().nullish(),
  command: z.array(z.coerce.string()).nullish(),
  ports: z.array(z.object({ name: z.string().nullish(), containerPort: z.number(), protocol: z.string().nullish() })).nullish(),
  resources: z.object({ requests: amounts, limits: amounts }).nullish(),
  livenessProbe: probeSchema,
  readinessProbe: probeSchema,
  startupProbe: probeSchema,
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.coerce.string().nullish(),
        valueFrom: z.object({ secretKeyRef: reference, configMapKeyRef: reference }).nullish(),
      }),
    )
    .nullish(),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().nullish() })).nullish(),
})
const expression = z.object({ key: z.string(), operator: z.string(), values: z.array(z.coerce.string()).nullish() })
const podTerm = z.object({ labelSelector: z.object({ matchLabels: labels }).nullish(), topologyKey: z.string().nullish() })
const podTerms = z.object({ requiredDuringSchedulingIgnoredDuringExecution: z.array(podTerm).nullish() }).nullish()
const nodeTerms = z
  .object({ nodeSelectorTerms: z.array(z.object({ matchExpressions: z.array(expression).nullish() })).nullish() })
  .nullish()
const podSpecSchema = z.object({
  containers: z.array(containerSchema).default([]),
  nodeSelector: labels,
  nodeName: z.string().nullish(),
  serviceAccountName: z.string().nullish(),
  imagePullSecrets: z.array(z.object({ name: z.string() })).nullish(),
  tolerations: z.array(z.object({ key: z.string().nullish(), value: z.string().nullish(), effect: z.string().nullish() })).nullish(),
  affinity: z
    .object({
      nodeAffinity: z.object({ requiredDuringSchedulingIgnoredDuringExecution: nodeTerms }).nullish(),
      podAffinity: podTerms,
      podAntiAffinity: podTerms,
    })
    .nullish(),
  volumes: z
    .array(
      z.object({
        name: z.string(),
        persistentVolumeClaim: z.object({ claimName: z.string() }).nullish(),
        secret: z.object({ secretName: z.string().nullish() }).nullish(),
        configMap: z.object({ name: z.string().nullish() }).nullish(),
      }),
    )
    .nullish(),
})

const objectSchema = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), labels }),
  spec: z.looseObject({}).nullish(),
  status: z.looseObject({ phase: z.string().nullish() }).nullish(),
})
export type PlatformObject = z.infer<typeof objectSchema>

/** The objects in YAML or JSON text, lists opened; what is none is left out. */
export function objectsIn(text: string): PlatformObject[] {
  const documents = parseAllDocuments(text, { logLevel: 'silent' }).flatMap((document) => {
    try {
      return [document.toJS({ maxAliasCount: 50 }) as unknown]
    } catch {
      return []
    }
  })
  const list = z.object({ items: z.array(z.unknown()) })
  const opened = documents.flatMap((document) => {
    const parsed = list.safeParse(document)
    return parsed.success ? parsed.data.items : [document]
  })
  return opened.flatMap((each) => {
    const parsed = objectSchema.safeParse(each)
    return parsed.success ? [parsed.data] : []
  })
}

const workloadSchema = z.object({
  replicas: z.number().nullish(),
  selector: z.object({ matchLabels: labels }).nullish(),
  template: z.object({ metadata: z.object({ labels }).nullish(), spec: podSpecSchema }).nullish(),
})

/** Of a deployment or its like: what it wants, selects and runs. */
export function workloadSpecOf({ spec }: PlatformObject): {
  desired: number | null
  selector: Labels
  template: PodSpec | null
  templateLabels: Labels
} {
  const parsed = workloadSchema.safeParse(spec)
  if (!parsed.success) return { desired: null, selector: {}, template: null, templateLabels: {} }
  const { replicas, selector, template } = parsed.data
  return {
    desired: replicas ?? null,
    selector: selector?.matchLabels ?? {},
    template: template ? toPodSpec(template.spec) : null,
    templateLabels: template?.metadata?.labels ?? {},
  }
}

export function podSpecOf({ spec }: PlatformObject): PodSpec | null {
  const parsed = podSpecSchema.safeParse(spec)
  return parsed.success ? toPodSpec(parsed.data) : null
}

const serviceSchema = z.object({
  type: z.string().nullish(),
  selector: labels,
  externalName: z.string().nullish(),
  ports: z
    .array(
      z.object({
        name: z.string().nullish(),
        port: z.number(),
        targetPort: port.nullish(),
        protocol: z.string().nullish(),
        appProtocol: z.string().nullish(),
      }),
    )
    .nullish(),
})

export function serviceOf({ metadata, spec }: PlatformObject): ServiceState | null {
  const parsed = serviceSchema.safeParse(spec)
  if (!parsed.success) return null
  const { type, selector, externalName, ports } = parsed.data
  return {
    name: metadata.name,
    type: type ?? 'ClusterIP',
    selector: selector ?? {},
    ports: (ports ?? []).map(({ name, port: own, targetPort, protocol, appProtocol }) => ({
      name: name ?? null,
      port: own,
      target: targetPort ?? own,
      protocol: protocol ?? 'TCP',
      appProtocol: appProtocol ?? null,
    })),
    endpoints: null,
    externalName: externalName ?? null,
  }
}

const storageSchema = z.object({
  storageClassName: z.string().nullish(),
  accessModes: z.array(z.string()).nullish(),
  resources: z.object({ requests: z.object({ storage: z.union([z.string(), z.number()]).nullish() }).nullish() }).nullish(),
  selector: z.object({ matchLabels: labels }).nullish(),
  volumeName: z.string().nullish(),
  capacity: z.object({ storage: z.union([z.string(), z.number()]).nullish() }).nullish(),
  claimRef: z.object({ namespace: z.string().nullish(), name: z.string().nullish() }).nullish(),
})

export function claimOf({ metadata, spec, status }: PlatformObject): ClaimState | null {
  const parsed = storageSchema.safeParse(spec)
  if (!parsed.success) return null
  const { storageClassName, accessModes, resources, selector, volumeName } = parsed.data
  return {
    name: metadata.name,
    phase: status?.phase ?? 'Pending',
    storageClass: storageClassName ?? null,
    accessModes: accessModes ?? [],
    requested: quantityIn(resources?.requests?.storage),
    volume: volumeName ?? null,
    selector: selector?.matchLabels ?? {},
  }
}

export function volumeOf({ metadata, spec, status }: PlatformObject): VolumeState | null {
  const parsed = storageSchema.safeParse(spec)
  if (!parsed.success) return null
  const { storageClassName, accessModes, capacity, claimRef } = parsed.data
  return {
    name: metadata.name,
    phase: status?.phase ?? 'Available',
    storageClass: storageClassName ?? null,
    accessModes: accessModes ?? [],
    capacity: quantityIn(capacity?.storage),
    claim: claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : null,
    labels: metadata.labels ?? {},
  }
}

const backend = z.object({
  service: z.object({ name: z.string(), port: z.object({ number: z.number().nullish(), name: z.string().nullish() }).nullish() }).nullish(),
})
const ingressSchema = z.object({
  rules: z
    .array(
      z.object({
        host: z.string().nullish(),
        http: z.object({ paths: z.array(z.object({ path: z.string().nullish(), backend })) }).nullish(),
      }),
    )
    .nullish(),
})

export function routeOf({ metadata, spec }: PlatformObject): RouteState | null {
  const parsed = ingressSchema.safeParse(spec)
  if (!parsed.success) return null
  const rules = (parsed.data.rules ?? []).flatMap(({ host, http }) =>
    (http?.paths ?? []).flatMap(({ path, backend: { service } }) =>
      service
        ? [{ host: host ?? null, path: path ?? null, service: service.name, port: service.port?.number ?? service.port?.name ?? null }]
        : [],
    ),
  )
  return { name: metadata.name, rules }
}

const amountMap = z.record(z.string(), z.union([z.string(), z.number()])).nullish()
const quotaStatus = z.object({ hard: amountMap, used: amountMap })

export function quotaOf({ metadata, status }: PlatformObject): QuotaState | null {
  const parsed = quotaStatus.safeParse(status)
  if (!parsed.success) return null
  const limits = Object.entries(parsed.data.hard ?? {}).flatMap(([resource, most]) => {
    const hard = quantityIn(most)
    return hard === null ? [] : [{ resource, used: quantityIn(parsed.data.used?.[resource]) ?? 0, hard }]
  })
  return { name: metadata.name, limits }
}

function toPodSpec(spec: z.infer<typeof podSpecSchema>): PodSpec {
  const nodeTerm = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return {
    containers: spec.containers.map(toContainer),
    nodeSelector: spec.nodeSelector ?? {},
    tolerations: (spec.tolerations ?? []).map(({ key, value, effect }) => ({
      key: key ?? null,
      value: value ?? null,
      effect: effect ?? null,
    })),
    nodeAffinity: nodeTerm.flatMap(({ matchExpressions }) =>
      (matchExpressions ?? []).map((each) => ({ ...each, values: each.values ?? [] })),
    ),
    podAntiAffinity: termsOf(spec.affinity?.podAntiAffinity),
    podAffinity: termsOf(spec.affinity?.podAffinity),
    serviceAccount: spec.serviceAccountName ?? null,
    imagePullSecrets: (spec.imagePullSecrets ?? []).map(({ name }) => name),
    nodeName: spec.nodeName ?? null,
    volumes: (spec.volumes ?? []).map(({ name, persistentVolumeClaim, secret, configMap }) => {
      if (persistentVolumeClaim) return { name, kind: 'claim' as const, source: persistentVolumeClaim.claimName }
      if (secret) return { name, kind: 'secret' as const, source: secret.secretName ?? null }
      return configMap
        ? { name, kind: 'configMap' as const, source: configMap.name ?? null }
        : { name, kind: 'other' as const, source: null }
    }),
  }
}

function termsOf(terms: z.infer<typeof podTerms>): { labels: Labels; topologyKey: string | null }[] {
  return (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(({ labelSelector, topologyKey }) => ({
    labels: labelSelector?.matchLabels ?? {},
    topologyKey: topologyKey ?? null,
  }))
}

function toContainer(container: z.infer<typeof containerSchema>): ContainerSpec {
  return {
    name: container.name,
    image: container.image ?? null,
    command: container.command ?? [],
    ports: (container.ports ?? []).map(({ name, containerPort, protocol }) => ({
      name: name ?? null,
      port: containerPort,
      protocol: protocol ?? 'TCP',
    })),
    requests: toAmounts(container.resources?.requests),
    limits: toAmounts(container.resources?.limits),
    liveness: toProbe(container.livenessProbe),
    readiness: toProbe(container.readinessProbe),
    startup: toProbe(container.startupProbe),
    env: (container.env ?? []).map(({ name, value, valueFrom }) => ({ name, value: value ?? null, from: toReference(valueFrom) })),
    mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
      volume: name,
      path: mountPath,
      readOnly: readOnly ?? false,
    })),
  }
}

type ValueFrom = { secretKeyRef?: z.infer<typeof reference>; configMapKeyRef?: z.infer<typeof reference> } | null | undefined

function toReference(from: ValueFrom): ContainerSpec['env'][number]['from'] {
  if (from?.secretKeyRef) return { kind: 'secret', name: from.secretKeyRef.name, key: from.secretKeyRef.key ?? null }
  return from?.configMapKeyRef ? { kind: 'configMap', name: from.configMapKeyRef.name, key: from.configMapKeyRef.key ?? null } : null
}

function toAmounts(given: z.infer<typeof amounts>): Amounts {
  return { cpu: quantityIn(given?.cpu), memory: quantityIn(given?.memory) }
}

function toProbe(probe: z.infer<typeof probeSchema>): ProbeSpec | null {
  if (!probe) return null
  const { httpGet, tcpSocket, grpc } = probe
  return {
    kind: httpGet ? 'http' : tcpSocket ? 'tcp' : grpc ? 'grpc' : 'exec',
    port: httpGet?.port ?? tcpSocket?.port ?? grpc?.port ?? null,
    path: httpGet?.path ?? null,
    scheme: httpGet?.scheme ?? null,
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    periodSeconds: probe.periodSeconds ?? 10,
    timeoutSeconds: probe.timeoutSeconds ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
  }
}
