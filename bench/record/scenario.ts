import type { FaultClass } from '../../agent/domain/fault-classes.ts'
import type { App, System } from './systems.ts'

/** What a fault is made for: one app of one system, and which of the three ways to tell of it. */
export interface Target {
  system: System
  app: App
  /** Who calls the app: victims. */
  callers: readonly App[]
  variant: 0 | 1 | 2
  /** The one of the list that is this variant's. */
  pick<T>(list: readonly T[]): T
}

/** What of an app is other than in the healthy system. Objects are laid over the manifest. */
export interface AppChange {
  replicas?: number
  pod?: object
  container?: object
  sidecars?: readonly object[]
  service?: object | null
  /** The labels of its pods, where they are not `app: NAME`. */
  labels?: Record<string, string>
}

/** What a node would say of a container. */
export interface ContainerReport {
  state: object
  last?: object
  restarts?: number
  ready: boolean
}
export interface PodReport {
  phase: 'Running' | 'Pending' | 'Failed'
  reason?: string
  message?: string
  container: ContainerReport
  /** Only the newest of its pods is so; the others are well. */
  isOnlyNewest?: boolean
}

export interface NodeChange {
  labels?: Record<string, string>
  unschedulable?: boolean
  taints?: readonly { key: string; value?: string; effect: string }[]
  conditions?: Readonly<Record<string, { status: string; reason: string; message: string }>>
  allocatable?: object
}

export interface ToldEvent {
  /** A pod of an app (`{ app }`), a node or another object of the namespace. */
  about: { app: string } | { kind: string; name: string }
  reason: string
  message: string
  type?: 'Normal' | 'Warning'
  /** Minutes ago. */
  first: number
  last: number
  count: number
}

/** An answer that no API server gives: of an agent, a probe or a metrics store. */
export interface GivenAnswer {
  tool: string
  args: Record<string, string | number>
  text: string
}

export interface Fault {
  component: string
  question: string
  changes?: Readonly<Record<string, AppChange>>
  /** Applied before the workloads. */
  objects?: readonly object[]
  /** By the place of the node in the system. */
  nodes?: readonly (NodeChange | undefined)[]
  reports?: Readonly<Record<string, PodReport>>
  events?: readonly ToldEvent[]
  logs?: Readonly<Record<string, readonly string[]>>
  answers?: readonly GivenAnswer[]
  /** Kinds that are asked for beside the usual ones. */
  ask?: readonly string[]
  /** The scheduler of the control plane is stopped meanwhile. */
  withoutScheduler?: boolean
}

export type Scenario = (target: Target) => Fault
export type Scenarios = Partial<Record<FaultClass, Scenario>>

export const RUNNING: ContainerReport = { state: { running: { startedAt: hoursAgo(70) } }, ready: true }

export function waiting(reason: string, message: string): ContainerReport {
  return { state: { waiting: { reason, message } }, ready: false }
}

/** A container that ended and is started again and again. */
export function crashing(exitCode: number, reason = 'Error', restarts = 6): ContainerReport {
  const last = { terminated: { exitCode, reason, startedAt: hoursAgo(0.06), finishedAt: hoursAgo(0.05) } }
  const message = 'back-off 2m40s restarting failed container=main pod=main'
  return { state: { waiting: { reason: 'CrashLoopBackOff', message } }, last, restarts, ready: false }
}

export function ended(exitCode: number, reason: string, hours: number): object {
  return { terminated: { exitCode, reason, startedAt: hoursAgo(hours + 20), finishedAt: hoursAgo(hours) } }
}

export function notReady(restarts = 0): ContainerReport {
  return { state: { running: { startedAt: hoursAgo(0.3) } }, restarts, ready: false }
}

export function hoursAgo(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A table as Prometheus answers a query: one sample for each of the label sets. */
export function vector(samples: readonly (readonly [Record<string, string>, number])[]): string {
  const result = samples.map(([metric, value]) => ({ metric, value: [Math.round(Date.now() / 1_000), String(value)] }))
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } })
}

/** Series of an hour, a sample each five minutes, from the oldest. */
export function matrix(series: readonly (readonly [Record<string, string>, readonly number[]])[]): string {
  const now = Math.round(Date.now() / 1_000)
  const result = series.map(([metric, values]) => ({
    metric,
    values: values.map((value, i) => [now - (values.length - 1 - i) * 300, String(value)]),
  }))
  return JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })
}
