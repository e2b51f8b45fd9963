import { z } from 'zod'
import { READ_ANNOTATIONS } from './annotations.ts'

/**
 * The fields of Kubernetes objects that are read, lenient as the API itself: what is missing has the default that the API documents, what is not
 * named here is dropped at once and takes no memory.
 */
export const text = z.string().catch('')
export const maybeText = z.string().nullable().catch(null).default(null)
const maybeNumber = z.number().nullable().catch(null).default(null)
const count = z.number().catch(0).default(0)
export const flag = z.boolean().catch(false).default(false)
const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {})
const annotations = labels.transform((all) => Object.fromEntries(Object.entries(all).filter(([name]) => READ_ANNOTATIONS.includes(name))))
export const moment = z
  .string()
  .nullish()
  .transform((value) => {
    const at = value ? new Date(value) : null
    return at && !Number.isNaN(at.getTime()) ? at : null
  })
const quantities = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .nullish()
  .transform((value) => value ?? {})
export const list = <T extends z.ZodType>(item: T, max = 1_000) =>
  z
    .array(z.unknown())
    .nullish()
    .transform((items) => (items ?? []).slice(0, max).flatMap((each) => parsed(item, each)))

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T>[] {
  const result = schema.safeParse(value)
  return result.success ? [result.data] : []
}

const ownerSchema = z.object({ kind: text, name: text, uid: text, controller: flag })

export const metaSchema = z.object({
  name: text,
  namespace: z.string().catch('').default(''),
  uid: z.string().catch('').default(''),
  resourceVersion: z.string().catch('').default(''),
  generation: count,
  labels,
  annotations,
  creationTimestamp: moment,
  deletionTimestamp: moment,
  ownerReferences: list(ownerSchema, 20),
})
export type Meta = z.output<typeof metaSchema>

const conditionSchema = z.object({
  type: text,
  status: z.enum(['True', 'False', 'Unknown']).catch('Unknown'),
  reason: maybeText,
  message: maybeText,
  lastTransitionTime: moment,
  lastUpdateTime: moment,
})
export type ObjectCondition = z.output<typeof conditionSchema>
const conditions = list(conditionSchema, 50)

const port = z.union([z.number(), z.string()])
const probeSchema = z.object({
  httpGet: z.object({ port, path: maybeText, scheme: maybeText }).nullish(),
  tcpSocket: z.object({ port }).nullish(),
  grpc: z.object({ port: z.number() }).nullish(),
  exec: z.object({}).nullish(),
  initialDelaySeconds: count,
  periodSeconds: z.number().catch(10).default(10),
  timeoutSeconds: z.number().catch(1).default(1),
  failureThreshold: z.number().catch(3).default(3),
})
export type ObjectProbe = z.output<typeof probeSchema>

const keyRef = z.object({ name: text, key: maybeText })
const envSchema = z.object({
  name: text,
  value: maybeText,
  valueFrom: z.object({ secretKeyRef: keyRef.nullish(), configMapKeyRef: keyRef.nullish() }).nullish(),
})
const envFromSchema = z.object({ secretRef: keyRef.nullish(), configMapRef: keyRef.nullish() })

const containerSchema = z.object({
  name: text,
  image: maybeText,
  command: list(z.string(), 50),
  args: list(z.string(), 50),
  ports: list(z.object({ name: maybeText, containerPort: z.number(), protocol: z.string().catch('TCP').default('TCP') }), 100),
  resources: z.object({ requests: quantities, limits: quantities }).nullish(),
  livenessProbe: probeSchema.nullish(),
  readinessProbe: probeSchema.nullish(),
  startupProbe: probeSchema.nullish(),
  env: list(envSchema, 200),
  envFrom: list(envFromSchema, 50),
  volumeMounts: list(z.object({ name: text, mountPath: text, readOnly: flag }), 100),
})
export type ObjectContainer = z.output<typeof containerSchema>

const volumeSchema = z.object({
  name: text,
  persistentVolumeClaim: z.object({ claimName: text }).nullish(),
  secret: z.object({ secretName: maybeText }).nullish(),
  configMap: z.object({ name: maybeText }).nullish(),
})

const expressionSchema = z.object({ key: text, operator: text, values: list(z.string(), 100) })
const selectorSchema = z.object({ matchLabels: labels, matchExpressions: list(expressionSchema, 50) })
const podTermSchema = z.object({ labelSelector: selectorSchema.nullish(), topologyKey: maybeText })
const podTerms = z.object({ requiredDuringSchedulingIgnoredDuringExecution: list(podTermSchema, 50) }).nullish()

const podSpecSchema = z.object({
  containers: list(containerSchema, 50),
  initContainers: list(containerSchema, 50),
  nodeSelector: labels,
  tolerations: list(z.object({ key: maybeText, value: maybeText, effect: maybeText }), 100),
  affinity: z
    .object({
      nodeAffinity: z
        .object({
          requiredDuringSchedulingIgnoredDuringExecution: z
            .object({ nodeSelectorTerms: list(z.object({ matchExpressions: list(expressionSchema, 50) }), 20) })
            .nullish(),
        })
        .nullish(),
      podAffinity: podTerms,
      podAntiAffinity: podTerms,
    })
    .nullish(),
  serviceAccountName: maybeText,
  imagePullSecrets: list(z.object({ name: text }), 20),
  volumes: list(volumeSchema, 100),
  nodeName: maybeText,
})
export type ObjectPodSpec = z.output<typeof podSpecSchema>

const templateSchema = z.object({ metadata: z.object({ labels, annotations }).nullish(), spec: podSpecSchema })
export type ObjectTemplate = z.output<typeof templateSchema>

const phaseSchema = z
  .object({
    running: z.object({ startedAt: moment }).nullish(),
    waiting: z.object({ reason: maybeText, message: maybeText }).nullish(),
    terminated: z.object({ reason: maybeText, message: maybeText, exitCode: maybeNumber, startedAt: moment, finishedAt: moment }).nullish(),
  })
  .nullish()
export type ObjectPhase = z.output<typeof phaseSchema>

const containerStatusSchema = z.object({
  name: text,
  image: maybeText,
  ready: flag,
  restartCount: count,
  state: phaseSchema,
  lastState: phaseSchema,
})

const podStatusSchema = z.object({
  phase: z.string().catch('Unknown').default('Unknown'),
  reason: maybeText,
  message: maybeText,
  startTime: moment,
  conditions,
  containerStatuses: list(containerStatusSchema, 50),
  initContainerStatuses: list(containerStatusSchema, 50),
})

export const podSchema = z.object({
  metadata: metaSchema,
  spec: podSpecSchema,
  status: podStatusSchema.nullish().transform((value) => value ?? podStatusSchema.parse({})),
})
export type Pod = z.output<typeof podSchema>

const workloadStatus = z.object({
  replicas: maybeNumber,
  readyReplicas: maybeNumber,
  availableReplicas: maybeNumber,
  updatedReplicas: maybeNumber,
  observedGeneration: maybeNumber,
  updateRevision: maybeText,
  desiredNumberScheduled: maybeNumber,
  numberReady: maybeNumber,
  numberAvailable: maybeNumber,
  updatedNumberScheduled: maybeNumber,
  conditions,
})

/** A deployment, stateful set, daemon set or replica set. */
export const workloadSchema = z.object({
  metadata: metaSchema.extend({
    managedFields: list(
      z.object({ manager: maybeText, operation: maybeText, time: moment, subresource: maybeText, fieldsV1: z.unknown() }),
      50,
    ).transform((fields) =>
      fields.map(({ manager, time, subresource, fieldsV1 }) => ({
        manager,
        time,
        subresource,
        ofTemplate: JSON.stringify(fieldsV1 ?? {}).includes('"f:template"'),
      })),
    ),
  }),
  spec: z.object({
    replicas: maybeNumber,
    paused: flag,
    selector: selectorSchema.nullish(),
    template: templateSchema,
  }),
  status: workloadStatus.nullish().transform((value) => value ?? workloadStatus.parse({})),
})
export type ObjectWorkload = z.output<typeof workloadSchema>

export const eventSchema = z.object({
  metadata: metaSchema,
  type: z.enum(['Normal', 'Warning']).catch('Normal'),
  reason: text,
  message: z
    .string()
    .catch('')
    .transform((value) => value.slice(0, 1_000)),
  involvedObject: z.object({ kind: text, name: z.string().catch('').default('') }),
  count: z.number().nullish(),
  firstTimestamp: moment,
  lastTimestamp: moment,
  eventTime: moment,
  series: z.object({ count: z.number().nullish(), lastObservedTime: moment }).nullish(),
})
export type ObjectEvent = z.output<typeof eventSchema>

export const autoscalerSchema = z.object({
  metadata: metaSchema,
  spec: z.object({ scaleTargetRef: z.object({ kind: text, name: text }), minReplicas: maybeNumber, maxReplicas: count }),
  status: z.object({ currentReplicas: maybeNumber, desiredReplicas: maybeNumber }).nullish(),
})
export type Autoscaler = z.output<typeof autoscalerSchema>

export const budgetSchema = z.object({
  metadata: metaSchema,
  spec: z.object({ selector: selectorSchema.nullish(), minAvailable: port.nullish(), maxUnavailable: port.nullish() }),
  status: z.object({ currentHealthy: count, desiredHealthy: count, disruptionsAllowed: count, expectedPods: count }).nullish(),
})
export type Budget = z.output<typeof budgetSchema>

export const quotaSchema = z.object({ metadata: metaSchema, status: z.object({ hard: quantities, used: quantities }).nullish() })
export type Quota = z.output<typeof quotaSchema>

export const nodeSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    unschedulable: flag,
    taints: list(z.object({ key: text, value: maybeText, effect: text }), 50),
  }),
  status: z.object({ conditions, allocatable: quantities }).nullish(),
})
export type Node = z.output<typeof nodeSchema>

export const serviceSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    type: z.string().catch('ClusterIP').default('ClusterIP'),
    selector: labels,
    externalName: maybeText,
    ports: list(
      z.object({
        name: maybeText,
        port: z.number(),
        targetPort: port.nullish(),
        protocol: z.string().catch('TCP').default('TCP'),
        appProtocol: maybeText,
      }),
      100,
    ),
  }),
})
export type Service = z.output<typeof serviceSchema>

export const endpointsSchema = z.object({
  metadata: metaSchema,
  endpoints: list(z.object({ addresses: list(z.string(), 10), conditions: z.object({ ready: z.boolean().nullish() }).nullish() })),
  ports: list(z.object({ port: maybeNumber }), 100),
})
export type EndpointSlice = z.output<typeof endpointsSchema>

const backend = z.object({
  service: z.object({ name: text, port: z.object({ number: maybeNumber, name: maybeText }).nullish() }).nullish(),
})
export const ingressSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    defaultBackend: backend.nullish(),
    rules: list(z.object({ host: maybeText, http: z.object({ paths: list(z.object({ path: maybeText, backend })) }).nullish() })),
  }),
})
export type Ingress = z.output<typeof ingressSchema>

export const claimSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    accessModes: list(z.string(), 10),
    storageClassName: maybeText,
    volumeName: maybeText,
    selector: selectorSchema.nullish(),
    resources: z.object({ requests: quantities }).nullish(),
  }),
  status: z.object({ phase: z.string().catch('Pending').default('Pending') }).nullish(),
})
export type Claim = z.output<typeof claimSchema>

export const volumeObjectSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    accessModes: list(z.string(), 10),
    storageClassName: maybeText,
    capacity: quantities,
    claimRef: z.object({ namespace: maybeText, name: maybeText }).nullish(),
  }),
  status: z.object({ phase: z.string().catch('Available').default('Available') }).nullish(),
})
export type Volume = z.output<typeof volumeObjectSchema>

export const storageClassSchema = z.object({ metadata: metaSchema, provisioner: text, volumeBindingMode: maybeText })
export type StorageClass = z.output<typeof storageClassSchema>

const rulePeers = list(z.object({ podSelector: selectorSchema.nullish() }), 50)
const rulePorts = list(z.object({ port: port.nullish() }), 50)
export const networkPolicySchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    podSelector: selectorSchema.nullish(),
    policyTypes: list(z.enum(['Ingress', 'Egress']), 2),
    ingress: list(z.object({ from: rulePeers, ports: rulePorts }), 100),
    egress: list(z.object({ to: rulePeers, ports: rulePorts }), 100),
  }),
})
export type NetworkPolicy = z.output<typeof networkPolicySchema>

/** Of a config map or service account the name is all that is ever asked for. */
export const namedSchema = z.object({ metadata: metaSchema })
export type Named = z.output<typeof namedSchema>
