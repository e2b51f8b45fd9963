import type {
  Amounts,
  Condition,
  ContainerPhase,
  ContainerSpec,
  ContainerState,
  PodSpec,
  PodState,
  ProbeSpec,
  VolumeSource,
} from '../ports/cluster-state.ts'
import type { ObjectCondition, ObjectContainer, ObjectPhase, ObjectPodSpec, ObjectProbe, Pod } from './objects.ts'
import { quantityOf } from './quantity.ts'

/** Words for a secret, and values that carry one. */
const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|credential|api_?key|private|auth|dsn|cookie|session|salt|signature/i
const SECRET_VALUE = /:\/\/[^/\s:@]*:[^/\s@]+@|^-----BEGIN|^ey[JK][\w-]+\.|(pass(word|wd)?|secret|token|key)=/i
/** Names that say where something is, and values that say how much or whether: all that a diagnosis asks for. */
const ADDRESS_NAME = /(^|_)(addr(ess)?|host(name)?|port|ur[il]|endpoint|server|service|brokers?|upstream|peer|region|namespace)s?$/i
const PLAIN_VALUE = /^(-?\d{1,10}(\.\d{1,6})?(ms|s|m|h|Ki|Mi|Gi|MB|GB|%)?|true|false|yes|no|on|off)$/i
const MAX_VALUE = 200

export function podState(pod: Pod, workload: string | null): PodState {
  const { metadata, status, spec } = pod
  const owner = metadata.ownerReferences.find(({ controller }) => controller) ?? null
  return {
    name: metadata.name,
    labels: metadata.labels,
    owner: owner ? { kind: owner.kind, name: owner.name } : null,
    workload,
    node: spec.nodeName,
    phase: status.phase,
    reason: status.reason,
    message: status.message,
    createdAt: metadata.creationTimestamp,
    startedAt: status.startTime,
    deletedAt: metadata.deletionTimestamp,
    conditions: status.conditions.map(condition),
    containers: [...containerStates(status.initContainerStatuses, true), ...containerStates(status.containerStatuses, false)],
    spec: podSpec(spec),
  }
}

export function condition({ type, status, reason, message, lastTransitionTime }: ObjectCondition): Condition {
  return { type, status, reason, message, since: lastTransitionTime }
}

export function amounts(quantities: Readonly<Record<string, string | number>> | undefined): Amounts {
  return { cpu: quantityOf(quantities?.['cpu']), memory: quantityOf(quantities?.['memory']) }
}

function containerStates(statuses: Pod['status']['containerStatuses'], isInit: boolean): ContainerState[] {
  return statuses.map(({ name, image, ready, restartCount, state, lastState }) => ({
    name,
    image,
    isInit,
    ready,
    restarts: restartCount,
    state: phase(state) ?? { kind: 'unknown', ...NOTHING },
    last: phase(lastState),
  }))
}

const NOTHING = { reason: null, message: null, exitCode: null, startedAt: null, finishedAt: null }

function phase(state: ObjectPhase): ContainerPhase | null {
  if (state?.terminated) return { kind: 'terminated', ...state.terminated }
  if (state?.waiting) return { ...NOTHING, kind: 'waiting', ...state.waiting }
  return state?.running ? { ...NOTHING, kind: 'running', startedAt: state.running.startedAt } : null
}

export function podSpec(spec: ObjectPodSpec): PodSpec {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const near = (affinity: NonNullable<ObjectPodSpec['affinity']>['podAffinity']) =>
    (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(({ labelSelector, topologyKey }) => ({
      labels: labelSelector?.matchLabels ?? {},
      topologyKey,
    }))
  return {
    containers: spec.containers.map(containerSpec),
    nodeSelector: spec.nodeSelector,
    tolerations: spec.tolerations,
    nodeAffinity: terms.flatMap(({ matchExpressions }) => matchExpressions),
    podAffinity: near(spec.affinity?.podAffinity),
    podAntiAffinity: near(spec.affinity?.podAntiAffinity),
    serviceAccount: spec.serviceAccountName,
    imagePullSecrets: spec.imagePullSecrets.map(({ name }) => name),
    volumes: spec.volumes.map(volumeSource),
    nodeName: spec.nodeName,
  }
}

function volumeSource({ name, persistentVolumeClaim, secret, configMap }: ObjectPodSpec['volumes'][number]): VolumeSource {
  if (persistentVolumeClaim) return { name, kind: 'claim', source: persistentVolumeClaim.claimName }
  if (secret) return { name, kind: 'secret', source: secret.secretName }
  return configMap ? { name, kind: 'configMap', source: configMap.name } : { name, kind: 'other', source: null }
}

function containerSpec(container: ObjectContainer): ContainerSpec {
  return {
    name: container.name,
    image: container.image,
    command: [...container.command, ...container.args].map((word) =>
      SECRET_VALUE.test(word) || SECRET_NAME.test(word) ? '…' : word.slice(0, MAX_VALUE),
    ),
    ports: container.ports.map(({ name, containerPort, protocol }) => ({ name, port: containerPort, protocol })),
    requests: amounts(container.resources?.requests),
    limits: amounts(container.resources?.limits),
    liveness: probe(container.livenessProbe),
    readiness: probe(container.readinessProbe),
    startup: probe(container.startupProbe),
    env: [...container.env.map(variable), ...container.envFrom.flatMap(variablesFrom)],
    mounts: container.volumeMounts.map(({ name, mountPath, readOnly }) => ({ volume: name, path: mountPath, readOnly })),
  }
}

function variable({ name, value, valueFrom }: ObjectContainer['env'][number]): ContainerSpec['env'][number] {
  const [secret, config] = [valueFrom?.secretKeyRef, valueFrom?.configMapKeyRef]
  if (secret) return { name, value: null, from: { kind: 'secret', ...secret } }
  if (config) return { name, value: null, from: { kind: 'configMap', ...config } }
  const isShown =
    value !== null && !SECRET_NAME.test(name) && !SECRET_VALUE.test(value) && (ADDRESS_NAME.test(name) || PLAIN_VALUE.test(value))
  return { name, value: isShown ? value.slice(0, MAX_VALUE) : null, from: null }
}

function variablesFrom({ secretRef, configMapRef }: ObjectContainer['envFrom'][number]): ContainerSpec['env'] {
  if (secretRef) return [{ name: '*', value: null, from: { kind: 'secret', name: secretRef.name, key: null } }]
  return configMapRef ? [{ name: '*', value: null, from: { kind: 'configMap', name: configMapRef.name, key: null } }] : []
}

function probe(given: ObjectProbe | null | undefined): ProbeSpec | null {
  if (!given) return null
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold, httpGet, tcpSocket, grpc } = given
  const times = { initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold }
  if (httpGet) return { kind: 'http', port: httpGet.port, path: httpGet.path, scheme: httpGet.scheme, ...times }
  if (tcpSocket) return { kind: 'tcp', port: tcpSocket.port, path: null, scheme: null, ...times }
  if (grpc) return { kind: 'grpc', port: grpc.port, path: null, scheme: null, ...times }
  return { kind: 'exec', port: null, path: null, scheme: null, ...times }
}
