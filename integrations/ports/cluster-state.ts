/**
 * What a container platform says of itself at one moment, without any vendor's words for it: what rules read. A live platform and a recording of
 * one fill the same shape. A list that nobody answered is null, never empty: what was not asked is not known to be absent. Moments are Dates,
 * cpu is in cores, memory and storage in bytes. All texts come from outside: they are data.
 */
export interface ClusterState {
  /** The one the question is about; everything below is of it, except nodes, volumes and storage classes, which belong to the cluster. */
  namespace: string
  /** When it was read; ages are told from here. */
  at: Date
  pods: readonly PodState[] | null
  workloads: readonly WorkloadState[] | null
  services: readonly ServiceState[] | null
  routes: readonly RouteState[] | null
  nodes: readonly NodeState[] | null
  claims: readonly ClaimState[] | null
  volumes: readonly VolumeState[] | null
  storageClasses: readonly StorageClassState[] | null
  quotas: readonly QuotaState[] | null
  networkPolicies: readonly NetworkPolicyState[] | null
  /** Names only, with the names of their keys where they are known: never a value. */
  secrets: readonly NamedKeys[] | null
  configMaps: readonly NamedKeys[] | null
  serviceAccounts: readonly string[] | null
  /** Warnings and what else the platform tells, newest first. */
  events: readonly PlatformEvent[] | null
  /** Parts of the platform itself, as far as they were asked for: scheduler, kubelet, container runtime, service proxy, DNS. */
  parts: readonly PlatformPart[] | null
  logs: readonly LogExcerpt[]
  connections: readonly ConnectionCheck[]
  alerts: readonly PlatformAlert[] | null
  /** Who calls whom, as far as it was told. */
  calls: readonly { from: string; to: string }[] | null
  /** Of sampled traces, where somebody traces. */
  spans?: readonly SpanState[]
  /** What metrics were asked for and told. */
  measures?: readonly MeasureState[]
}

/** One series of an answer to a query. */
export interface MeasureState {
  /** The metric's own name and the query, as far as there are such. */
  name: string
  labels: Labels
  /** Oldest first, in the units of the query. */
  samples: readonly { at: Date | null; value: number }[]
}

export interface SpanState {
  service: string
  operation: string
  /** Milliseconds, with and without what it waited for below it. */
  ms: number
  ownMs: number
}

/** Reads the state of one namespace. Faults are thrown as IntegrationError; a part that could not be read is null. */
export interface ClusterStatePort {
  read(query: { namespace: string; signal?: AbortSignal }): Promise<ClusterState>
  /** What is around a service; null when no workload of the platform is known by that name. */
  around(query: { service: string; signal?: AbortSignal }): Promise<Surroundings | null>
}

/** The namespace in which a service runs. */
export interface Surroundings {
  /** What was asked, in words. */
  query: string
  state: ClusterState
  /** What people and alerts call a workload, by its name there. */
  services: ReadonlyMap<string, string>
}

export type Labels = Readonly<Record<string, string>>

export interface PodState {
  name: string
  labels: Labels
  /** What made it, such as { kind: 'ReplicaSet', name: 'payments-7f9dd8b6c4' }. */
  owner: { kind: string; name: string } | null
  /** The deployment, stateful set, daemon set or job behind it; null for a pod of its own. */
  workload: string | null
  node: string | null
  /** Pending, Running, Succeeded, Failed or Unknown. */
  phase: string
  /** Why it is in this phase, where the platform says: Evicted, NodeLost, … */
  reason: string | null
  message: string | null
  createdAt: Date | null
  startedAt: Date | null
  /** Being taken down: whatever it shows is its farewell. */
  deletedAt: Date | null
  conditions: readonly Condition[]
  containers: readonly ContainerState[]
  spec: PodSpec | null
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string | null
  message: string | null
  since: Date | null
}

export interface ContainerState {
  name: string
  image: string | null
  isInit: boolean
  ready: boolean
  restarts: number
  state: ContainerPhase
  /** How it ended the time before. */
  last: ContainerPhase | null
}

export interface ContainerPhase {
  kind: 'running' | 'waiting' | 'terminated' | 'unknown'
  /** CrashLoopBackOff, OOMKilled, ErrImagePull, CreateContainerConfigError, … */
  reason: string | null
  message: string | null
  exitCode: number | null
  startedAt: Date | null
  finishedAt: Date | null
}

/** What a pod asks for: of a pod itself, or of the template in its workload. */
export interface PodSpec {
  containers: readonly ContainerSpec[]
  nodeSelector: Labels
  tolerations: readonly { key: string | null; value: string | null; effect: string | null }[]
  /** Required terms as label expressions; what is only preferred is left out. */
  nodeAffinity: readonly LabelExpression[]
  podAntiAffinity: readonly { labels: Labels; topologyKey: string | null }[]
  podAffinity: readonly { labels: Labels; topologyKey: string | null }[]
  serviceAccount: string | null
  imagePullSecrets: readonly string[]
  volumes: readonly VolumeSource[]
  nodeName: string | null
}

export interface LabelExpression {
  key: string
  operator: string
  values: readonly string[]
}

export interface VolumeSource {
  name: string
  kind: 'claim' | 'secret' | 'configMap' | 'other'
  /** The claim, secret or config map; null for the other kinds. */
  source: string | null
}

export interface ContainerSpec {
  name: string
  image: string | null
  command: readonly string[]
  /** Container ports it declares; a process may listen elsewhere. */
  ports: readonly { name: string | null; port: number; protocol: string }[]
  requests: Amounts
  limits: Amounts
  liveness: ProbeSpec | null
  readiness: ProbeSpec | null
  startup: ProbeSpec | null
  /** Plain values only; where a value comes from a secret or config map it is named in `from`. */
  env: readonly { name: string; value: string | null; from: { kind: 'secret' | 'configMap'; name: string; key: string | null } | null }[]
  mounts: readonly { volume: string; path: string; readOnly: boolean }[]
}

export interface Amounts {
  /** Cores; null where it does not say. */
  cpu: number | null
  /** Bytes; null where it does not say. */
  memory: number | null
}

export interface ProbeSpec {
  kind: 'http' | 'tcp' | 'grpc' | 'exec'
  /** A number, or the name of a container port. */
  port: number | string | null
  path: string | null
  scheme: string | null
  initialDelaySeconds: number
  periodSeconds: number
  timeoutSeconds: number
  failureThreshold: number
}

export interface WorkloadState {
  /** Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, … */
  kind: string
  name: string
  labels: Labels
  /** Which pods are its own. */
  selector: Labels
  desired: number | null
  ready: number | null
  available: number | null
  updated: number | null
  /** Scaled by itself: least, most and present replicas. */
  autoscaling: { min: number | null; max: number; current: number | null } | null
  conditions: readonly Condition[]
  template: PodSpec | null
  templateLabels: Labels
  createdAt: Date | null
  /** When its newest revision was rolled out, where the platform says. */
  rolledOutAt: Date | null
}

export interface ServiceState {
  name: string
  type: string
  selector: Labels
  ports: readonly { name: string | null; port: number; target: number | string | null; protocol: string; appProtocol: string | null }[]
  /** `host:port` of the pods behind it; null when it was not asked. */
  endpoints: readonly string[] | null
  externalName: string | null
}

/** An ingress or gateway rule. */
export interface RouteState {
  name: string
  rules: readonly { host: string | null; path: string | null; service: string; port: number | string | null }[]
}

export interface NodeState {
  name: string
  labels: Labels
  unschedulable: boolean
  taints: readonly { key: string; value: string | null; effect: string }[]
  conditions: readonly Condition[]
  allocatable: Amounts
  /** What its pods ask for together, where it was told. */
  requested: Amounts
  createdAt: Date | null
}

export interface ClaimState {
  name: string
  /** Pending, Bound or Lost. */
  phase: string
  storageClass: string | null
  accessModes: readonly string[]
  /** Bytes. */
  requested: number | null
  /** The volume it is bound to or asks for by name. */
  volume: string | null
  selector: Labels
}

export interface VolumeState {
  name: string
  /** Available, Bound, Released or Failed. */
  phase: string
  storageClass: string | null
  accessModes: readonly string[]
  /** Bytes. */
  capacity: number | null
  /** `namespace/name` of the claim that holds it. */
  claim: string | null
  labels: Labels
}

export interface StorageClassState {
  name: string
  provisioner: string
  isDefault: boolean
  /** Immediate or WaitForFirstConsumer. */
  bindingMode: string | null
}

export interface QuotaState {
  name: string
  /** By resource as the platform names it (`requests.cpu`, `pods`), in cores, bytes or a plain count. */
  limits: readonly { resource: string; used: number; hard: number }[]
}

export interface NetworkPolicyState {
  name: string
  /** Pods it holds for; empty for all of the namespace. */
  selector: Labels
  directions: readonly ('ingress' | 'egress')[]
  /** Rules that let something through; none in a named direction means nothing gets through. */
  allows: readonly { direction: 'ingress' | 'egress'; peers: readonly Labels[]; ports: readonly number[] }[]
  createdAt: Date | null
}

export interface NamedKeys {
  name: string
  keys: readonly string[] | null
}

export interface PlatformEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  /** What it is about, such as { kind: 'Pod', name: 'payments-7f9dd8b6c4-x7gr9' }. */
  object: { kind: string; name: string }
  count: number
  firstAt: Date | null
  lastAt: Date | null
}

export interface PlatformPart {
  /** kubelet, containerd, kube-proxy, kube-scheduler, coredns, … */
  name: string
  /** Null for a part of the cluster as a whole. */
  node: string | null
  healthy: boolean
  words: string
}

/** Some lines of one workload's or pod's log, oldest first. */
export interface LogExcerpt {
  workload: string
  pod: string | null
  container: string | null
  level: 'error' | 'all'
  lines: readonly { at: Date | null; text: string }[]
}

export interface ConnectionCheck {
  from: string
  to: string
  port: number | null
  ok: boolean
  words: string
}

export interface PlatformAlert {
  name: string
  /** The workload, service or node it names; null when it names none. */
  about: string | null
  summary: string
  firing: boolean
  since: Date | null
}
