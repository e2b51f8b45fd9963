import type { ClusterState, PodState, ProbeSpec } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { appOf, type ClusterRule, earliest, eventsOf, type Finding, isRecent, livingPods, quotesOf } from '../finding.ts'

const REFUSED = /connection refused|connect: no route/i
const FOREIGN =
  /statuscode: [345]\d\d|malformed HTTP|server gave HTTP response to HTTPS|tls:|first record does not look like a TLS|unexpected EOF|protocol/i

/** A probe that fails although the process runs: it asks at the wrong port, in the wrong way, or too early. */
export const probes: ClusterRule = (state) =>
  livingPods(state).flatMap((pod) => {
    const events = eventsOf(state, pod.name).filter((event) => isRecent(event, state))
    const failed = events.filter(({ message }) => /(liveness|readiness|startup) probe (failed|errored)/i.test(message))
    const [latest] = failed
    if (!latest || isHealthyNow(pod)) return []
    const probe = /readiness/i.test(latest.message) ? 'readiness' : 'liveness'
    const killed = events.find(({ reason }) => reason === 'Killing')
    const judged = judge(probe, latest.message, pod, listeningPort(pod, state))
    if (judged === null) return []
    const finding: Finding = {
      class: judged.class,
      component: appOf(pod),
      score: judged.score,
      words: `${titled(probe)} probe of ${pod.name} ${judged.words}${killed ? ' The kubelet restarts it for that; the process itself does not crash.' : ''}`,
      quotes: quotesOf(latest.message, killed?.message, lastWordsOf(pod, state)),
      since: earliest(...failed.map(({ firstAt }) => firstAt)),
    }
    return [finding]
  })

function isHealthyNow(pod: PodState): boolean {
  return pod.containers.length > 0 && pod.containers.every(({ ready, restarts }) => ready && restarts === 0)
}

function judge(
  probe: 'liveness' | 'readiness',
  message: string,
  pod: PodState,
  told: number | null,
): { class: FaultClass; score: number; words: string } | null {
  const spec = pod.spec?.containers.map((container) => container[probe]).find((each) => each !== null) ?? null
  if (FOREIGN.test(message))
    return {
      class: `${probe}_probe_incorrect_protocol`,
      score: 86,
      words: 'gets an answer that it does not take for health, from a process that runs.',
    }
  if (REFUSED.test(message)) {
    // What a program says of itself counts more than what is declared.
    const listens = told === null ? portsOf(pod) : [told]
    const asks = spec === null ? null : portOf(spec, pod)
    const isElsewhere = asks !== null && listens.length > 0 && !listens.includes(asks)
    const isThere = asks !== null && listens.includes(asks)
    if (isThere)
      return probe === 'liveness'
        ? {
            class: 'liveness_probe_incorrect_timing',
            score: 84,
            words: `asks at the right port before anything can listen there${timing(spec)}.`,
          }
        : null
    return {
      class: `${probe}_probe_incorrect_port`,
      score: isElsewhere ? 92 : 74,
      words: isElsewhere
        ? `asks at port ${asks}, where nothing listens; it listens at ${listens.join(', ')}.`
        : 'is refused: nothing listens where it asks.',
    }
  }
  if (probe === 'liveness' && /timeout|deadline exceeded/i.test(message))
    return { class: 'liveness_probe_incorrect_timing', score: 70, words: `asks before an answer can be there${timing(spec)}.` }
  return null
}

function timing(spec: ProbeSpec | null): string {
  return spec === null
    ? ''
    : ` (first after ${spec.initialDelaySeconds} s, every ${spec.periodSeconds} s, ${spec.failureThreshold} failures, ${spec.timeoutSeconds} s each)`
}

function portsOf({ spec }: PodState): number[] {
  return (spec?.containers ?? []).flatMap(({ ports }) => ports.map(({ port }) => port))
}

function portOf({ port }: ProbeSpec, { spec }: PodState): number | null {
  if (typeof port === 'number' || port === null) return port
  return (spec?.containers ?? []).flatMap(({ ports }) => ports).find(({ name }) => name === port)?.port ?? null
}

const LISTENS = /\b(?:listen(?:s|ing)?|serving|started)\b[^\d]{0,30}?(?:port\s*|:)(\d{2,5})\b/i

function listeningPort(pod: PodState, { logs }: ClusterState): number | null {
  const own = logs.filter((log) => log.pod === pod.name || log.workload === pod.workload).flatMap(({ lines }) => lines)
  const port = own.flatMap(({ text }) => LISTENS.exec(text)?.[1] ?? []).at(-1)
  return port === undefined ? null : Number(port)
}

function lastWordsOf(pod: PodState, { logs }: ClusterState): string | null {
  const own = logs.filter((log) => log.pod === pod.name || log.workload === pod.workload).flatMap(({ lines }) => lines)
  return own.findLast(({ text }) => /SIGTERM|shutting down|shutdown/i.test(text))?.text ?? null
}

function titled(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
