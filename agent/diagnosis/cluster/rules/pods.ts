import type { ClusterState, PodState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import {
  appOf,
  type ClusterRule,
  complaintsOf,
  earliest,
  eventsOf,
  type Finding,
  hasRestartedLately,
  isRecent,
  isWell,
  livingPods,
  quotesOf,
} from '../finding.ts'

/** The sign of a class in what is said of a pod, and how plain it is. */
interface Sign {
  class: FaultClass
  pattern: RegExp
  score: number
  words: (pod: PodState) => string
}

const IMAGE: readonly Sign[] = [
  {
    class: 'image_registry_dns_failure',
    pattern: /pull.*(no such host|lookup .*(timeout|timed out|server misbehaving)|temporary failure in name resolution)/is,
    score: 92,
    words: (pod) => `The image of ${pod.name} cannot be pulled: the name of its registry does not resolve.`,
  },
  {
    class: 'missing_image_pull_secret',
    pattern: /pull.*(unauthorized|authentication required|access denied|denied: requested access|pull access denied|403 forbidden)/is,
    score: 88,
    words: (pod) =>
      `The image of ${pod.name} cannot be pulled: the registry refuses who asks. A pull secret is missing, or the repository does not exist.`,
  },
  {
    class: 'incorrect_image_reference',
    pattern:
      /(not found|manifest unknown|InvalidImageName|invalid reference|couldn't parse image|ErrImagePull|ImagePullBackOff|Failed to pull image)/is,
    score: 85,
    words: (pod) =>
      `The image of ${pod.name} cannot be pulled (${waitingFor(pod) ?? 'ImagePullBackOff'}): such an image or tag does not exist.`,
  },
]
const WHY_NOT_PULLED = /not found|unknown|invalid|couldn't parse|does not exist/i
const IS_PULL = /(ErrImagePull|ImagePullBackOff|InvalidImageName|Failed to pull image|Back-off pulling image)/i

const START: readonly Sign[] = [
  {
    class: 'missing_secret_binding',
    pattern: /(secret "[^"]+" not found|couldn't find key \S+ in Secret|references non-existent secret)/i,
    score: 92,
    words: (pod) => `${pod.name} cannot start: it refers to a secret, or a key of one, that does not exist.`,
  },
  {
    class: 'missing_config_map',
    pattern: /(configmap "[^"]+" not found|couldn't find key \S+ in ConfigMap|references non-existent config)/i,
    score: 92,
    words: (pod) => `${pod.name} cannot start: it refers to a config map, or a key of one, that does not exist.`,
  },
  {
    class: 'volume_mount_permission_denied',
    pattern: /(permission denied|read-only file system|operation not permitted).*\/|\/\S+.*(permission denied|read-only file system)/i,
    score: 72,
    words: (pod) => `${pod.name} may not use a path that is mounted into it: permission denied.`,
  },
  {
    class: 'service_sidecar_port_conflict',
    pattern: /(address already in use|EADDRINUSE|bind: address in use)/i,
    score: 88,
    words: (pod) => `Two containers of ${pod.name} want the same port: address already in use.`,
  },
]

/** Why a pod's containers do not come up: its image, what it refers to, what it says before it ends. */
export const podStart: ClusterRule = (state) =>
  livingPods(state)
    .filter((pod) => !isWell(pod) || hasRestartedLately(pod, state))
    .flatMap((pod) => {
      const said = saidOf(pod, state)
      const all = said.join('\n')
      const signs = IS_PULL.test(all) ? IMAGE : START
      const sign = signs.find(({ pattern }) => pattern.test(all))
      return sign ? [findingOf(sign, pod, said, state)] : crashed(pod, said, state)
    })

/** Events, states and the log of a pod that is not well. */
function saidOf(pod: PodState, state: ClusterState): string[] {
  const all = eventsOf(state, pod.name)
  const recent = all.filter((event) => isRecent(event, state))
  // The platform repeats itself ever more seldom: of a pod that is ill now, what it said last is said still.
  const isHeldBack = pod.containers.some(({ ready, state: now }) => !ready && now.reason !== null)
  const events = recent.some(({ type }) => type === 'Warning') || !isHeldBack ? recent : all
  const containers = pod.containers.filter(({ ready }) => !ready || isWell(pod))
  const logs = state.logs.filter((log) => log.pod === pod.name || (log.pod === null && log.workload === pod.workload))
  return [
    ...containers.map(complaintsOf),
    ...events.map(({ message }) => message),
    ...logs.flatMap(({ lines }) => lines.slice(-20).map(({ text }) => text)),
  ].filter((text) => text.trim() !== '')
}

function findingOf(sign: Sign, pod: PodState, said: readonly string[], state: ClusterState): Finding {
  const told = said.filter((text) => sign.pattern.test(text))
  // That an image cannot be pulled is said long before why.
  const isWhyUnknown = sign.class === 'incorrect_image_reference' && !WHY_NOT_PULLED.test(told.join('\n'))
  return {
    class: sign.class,
    component: appOf(pod),
    score: isWhyUnknown ? 72 : sign.score,
    words: `${sign.words(pod)}${rollout(pod, state)}`,
    quotes: quotesOf(...told),
    since: sinceOf(pod, state),
  }
}

/** Killed for memory, or ended by itself. */
function crashed(pod: PodState, said: readonly string[], state: ClusterState): Finding[] {
  const all = said.join('\n')
  const codes = pod.containers.flatMap(({ state: now, last }) => [now.exitCode, last?.exitCode ?? null])
  const isOom = /OOMKilled|out of memory: killed|Memory cgroup out of memory/i.test(all) || /exit code:? ?137/i.test(all)
  if (isOom || pod.containers.some(({ state: now, last }) => now.reason === 'OOMKilled' || last?.reason === 'OOMKilled'))
    return [oom(pod, said, state)]
  const isCrashing = /CrashLoopBackOff|Back-off restarting failed container/i.test(all)
  const hasFailed = codes.some((code) => code !== null && code !== 0)
  if ((!isCrashing && !hasFailed) || /(liveness|startup) probe/i.test(all)) return []
  const shared = sharedPortOf(pod)
  if (shared !== null)
    return [
      {
        class: 'service_sidecar_port_conflict',
        component: appOf(pod),
        score: 80,
        words: `Two containers of ${pod.name} declare port ${shared}, and one of them ends soon after it starts.`,
        quotes: quotesOf(...errorsIn(said), ...said),
        since: sinceOf(pod, state),
      },
    ]
  return [
    {
      class: 'crash_on_start',
      component: appOf(pod),
      score: 70,
      words: `${pod.name} ends by itself soon after it starts, again and again (CrashLoopBackOff).${rollout(pod, state)}`,
      quotes: quotesOf(...errorsIn(said), ...said),
      since: sinceOf(pod, state),
    },
  ]
}

/** A port that two containers of one pod declare: they share its address. */
function sharedPortOf({ spec }: PodState): number | null {
  const ports = (spec?.containers ?? []).flatMap((container) => [...new Set(container.ports.map(({ port }) => port))])
  return ports.find((port, i) => ports.indexOf(port) !== i) ?? null
}

function oom(pod: PodState, said: readonly string[], state: ClusterState): Finding {
  const restarts = Math.max(0, ...pod.containers.map(({ restarts }) => restarts))
  return {
    class: 'oom_killed',
    component: appOf(pod),
    score: 93,
    words: `${pod.name} is killed for using more memory than its limit (OOMKilled, exit code 137), ${restarts} restarts.${siblings(pod, state)}`,
    quotes: quotesOf(...said.filter((text) => /memory|OOM|heap/i.test(text)), ...said),
    since: sinceOf(pod, state),
  }
}

function errorsIn(said: readonly string[]): string[] {
  return said.filter((text) => /error|fatal|exception|panic|failed|refused|denied|missing/i.test(text) && !/back-off/i.test(text))
}

/** Whether only the newest revision is ill, which points at what was rolled out. */
function rollout(pod: PodState, state: ClusterState): string {
  const revision = revisionOf(pod)
  const kin = livingPods(state).filter((other) => appOf(other) === appOf(pod))
  const well = kin.filter((other) => isWell(other) && revisionOf(other) !== revision)
  const stuck = (state.events ?? []).some((event) => event.reason === 'ProgressDeadlineExceeded' && isRecent(event, state))
  if (revision === null || (well.length === 0 && !stuck)) return ''
  const others = well.length === 0 ? '' : ` The older ReplicaSet still has ${well.length} ready.`
  return ` Its ReplicaSet ${revision} is the one being rolled out: the rollout of deployment ${appOf(pod).slice(4)} is stuck.${others}`
}

function siblings(pod: PodState, state: ClusterState): string {
  const others = livingPods(state).filter((other) => other.name !== pod.name && appOf(other) === appOf(pod))
  const well = others.filter(isWell)
  return others.length > 0 && well.length === others.length ? ` Its ${well.length} siblings are well.` : ''
}

function revisionOf({ owner, name }: PodState): string | null {
  return owner?.kind === 'ReplicaSet' ? owner.name : name.replace(/-[a-z0-9]{3,5}$/, '') || null
}

function waitingFor({ containers }: PodState): string | null {
  return containers.find(({ state }) => state.kind === 'waiting')?.state.reason ?? null
}

function sinceOf(pod: PodState, state: ClusterState): Date | null {
  return earliest(...eventsOf(state, pod.name).map(({ firstAt }) => firstAt), pod.startedAt)
}
