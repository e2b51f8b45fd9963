import type { ClusterState, ContainerState, PlatformEvent, PodState } from '../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../domain/fault-classes.ts'

/** What one rule found in a cluster's state. */
export interface Finding {
  class: FaultClass
  /** `app/NAME`, `node/NAME`, `namespace/NAME`, `volume/NAME`, `service/NAME` or `external/NAME`. */
  component: string
  /** 0–100: how plainly the signs of this class are there, and of no neighbour. */
  score: number
  /** What it says of the cause, in one plain sentence. */
  words: string
  /** What the platform itself said, word for word: data from outside. */
  quotes: string[]
  since: Date | null
}

/** One group of classes, read off the state alone. Empty when there is no sign of them. Pure. */
export type ClusterRule = (state: ClusterState) => Finding[]

/** An event older than this, of something that is well now, is history. */
const RECENT_MS = 15 * 60_000

/** Pods that should run and are not being taken down: what a terminating pod shows is its farewell. */
export function livingPods({ pods }: ClusterState): PodState[] {
  return (pods ?? []).filter(({ deletedAt, phase }) => deletedAt === null && phase !== 'Succeeded')
}

export function isWell(pod: PodState): boolean {
  return pod.phase === 'Running' && pod.containers.every(({ ready, isInit }) => ready || isInit)
}

/** A container of it ended within the last quarter of an hour: that it runs now says little. */
export function hasRestartedLately({ containers }: PodState, { at }: ClusterState): boolean {
  return containers.some(({ last, restarts }) => {
    const end = last?.finishedAt
    return restarts > 0 && end != null && at.getTime() - end.getTime() <= RECENT_MS
  })
}

/** Whether a name, of a variable or of whom it leads to, is one of a database. */
export function isDatabase(name: string): boolean {
  return /mysql|maria|postgres|mongo|redis|database|datasource|sql|(?:^|[_\W])(?:pg|db)(?:$|[_\W])/i.test(name)
}

/** The app a pod belongs to: its workload, else its own name. */
export function appOf(pod: Pick<PodState, 'name' | 'workload'>): string {
  return `app/${pod.workload ?? withoutHash(pod.name)}`
}

/** `payments-7f9dd8b6c4-x7gr9` and `payments-7f9dd8b6c4` are of `payments`. */
export function withoutHash(name: string): string {
  return name.replace(/(-[a-f0-9]{6,10}|-[bcdfghjklmnpqrstvwxz2456789]{8,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}$/, '')
}

/** What is told of an object, the newest first. */
export function eventsOf({ events }: ClusterState, ...names: readonly string[]): PlatformEvent[] {
  return (events ?? []).filter(({ object }) => names.includes(object.name)).sort((a, b) => timeOf(b) - timeOf(a))
}

/** Whether it was told lately, seen from the moment the state is of. Without a time it counts as recent. */
export function isRecent({ lastAt, firstAt }: PlatformEvent, { at }: ClusterState): boolean {
  const told = lastAt ?? firstAt
  return told === null || at.getTime() - told.getTime() <= RECENT_MS
}

function timeOf({ lastAt, firstAt }: PlatformEvent): number {
  return (lastAt ?? firstAt)?.getTime() ?? 0
}

/** Everything that is said about why a container does not run. */
export function complaintsOf(container: ContainerState): string {
  return [container.state, container.last].flatMap((phase) => (phase ? [phase.reason, phase.message] : [])).join(' ')
}

export function quotesOf(...texts: readonly (string | null | undefined)[]): string[] {
  return [...new Set(texts.flatMap((text) => (text ? [text.trim()] : [])))].filter((text) => text !== '').slice(0, 4)
}

export function earliest(...moments: readonly (Date | null | undefined)[]): Date | null {
  const known = moments.flatMap((moment) => (moment ? [moment.getTime()] : []))
  return known.length === 0 ? null : new Date(Math.min(...known))
}
