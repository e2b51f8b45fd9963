import type { Alert } from '../../agent/domain/alert.ts'
import { ENVIRONMENT } from './catalogue.ts'
import { RECENT_SECONDS } from './restart-backoff.ts'

/** What one round of scrapes says of a service; what it says nothing about is null. */
export interface Reading {
  service: string
  at: Date
  requestsPerSecond: number
  error_ratio: number | null
  latency_p99: number | null
  memory_used_ratio: number | null
  replicas_ready: number | null
  recent_restarts: number | null
  log_volume_used_ratio: number | null
  certificate_days_left: number | null
  job_age_seconds: number | null
  desiredReplicas: number
}

type RuleMetric = Exclude<keyof Reading, 'service' | 'at' | 'requestsPerSecond' | 'desiredReplicas'>

export interface AlertRule {
  name: string
  metric: RuleMetric
  comparator: '>' | '<'
  threshold(reading: Reading): number
  /** A firing alert is over once the metric stayed on the good side of this bound for `clearSeconds`. */
  clear(reading: Reading): number
  forSeconds: number
  clearSeconds: number
  level: 'critical' | 'high' | 'warning'
  words(value: number, reading: Reading): string
}

/** Fewer requests a second say nothing about the share that fails. */
export const MIN_REQUESTS_PER_SECOND = 2
const ERROR_RATIO = 0.2
const LATENCY_P99_SECONDS = 1
const MEMORY_RATIO = 0.85
const LOG_RATIO = 0.85
const CERTIFICATE_DAYS = 14
const JOB_SECONDS = 6
/** Each reading covers the second before it, give or take the timer's jitter. */
const READING_SECONDS = 1
const JITTER_SECONDS = 0.5
const MS = 1000

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`

export const ALERT_RULES: readonly AlertRule[] = [
  {
    name: 'HighErrorRatio',
    metric: 'error_ratio',
    comparator: '>',
    threshold: () => ERROR_RATIO,
    clear: () => ERROR_RATIO / 4,
    forSeconds: 3,
    clearSeconds: 3,
    level: 'critical',
    words: (value, { service, requestsPerSecond }) =>
      `${percent(value)} of the requests to ${service} fail (${requestsPerSecond.toFixed(0)} requests/s; the limit is ${percent(ERROR_RATIO)})`,
  },
  {
    name: 'HighLatency',
    metric: 'latency_p99',
    comparator: '>',
    threshold: () => LATENCY_P99_SECONDS,
    clear: () => LATENCY_P99_SECONDS / 2,
    forSeconds: 3,
    clearSeconds: 3,
    level: 'high',
    words: (value, { service }) => `p99 latency of ${service} is ${value.toFixed(2)} s (the limit is ${LATENCY_P99_SECONDS} s)`,
  },
  {
    name: 'HighMemory',
    metric: 'memory_used_ratio',
    comparator: '>',
    threshold: () => MEMORY_RATIO,
    clear: () => MEMORY_RATIO - 0.1,
    forSeconds: 3,
    clearSeconds: 3,
    level: 'high',
    words: (value, { service }) =>
      `${service} uses ${percent(value)} of its memory limit (the limit of the rule is ${percent(MEMORY_RATIO)})`,
  },
  {
    name: 'TooFewReplicas',
    metric: 'replicas_ready',
    comparator: '<',
    threshold: ({ desiredReplicas }) => desiredReplicas,
    clear: ({ desiredReplicas }) => desiredReplicas,
    forSeconds: 5,
    clearSeconds: 3,
    level: 'high',
    words: (value, { service, desiredReplicas }) => `${value} of ${desiredReplicas} replicas of ${service} are ready`,
  },
  {
    // One exit is over after as many seconds as are looked back: what lasts longer is a second one.
    name: 'CrashLoop',
    metric: 'recent_restarts',
    comparator: '>',
    threshold: () => 0,
    clear: () => 0,
    forSeconds: RECENT_SECONDS + 2,
    clearSeconds: 3,
    level: 'critical',
    words: (value, { service }) => `${service} exits again and again: ${value} times in the last ${RECENT_SECONDS} s`,
  },
  {
    name: 'LogDirectoryFull',
    metric: 'log_volume_used_ratio',
    comparator: '>',
    threshold: () => LOG_RATIO,
    clear: () => LOG_RATIO - 0.1,
    forSeconds: 3,
    clearSeconds: 3,
    level: 'high',
    words: (value, { service }) =>
      `the log directory of ${service} is ${percent(value)} full (the limit of the rule is ${percent(LOG_RATIO)})`,
  },
  {
    name: 'CertificateExpiring',
    metric: 'certificate_days_left',
    comparator: '<',
    threshold: () => CERTIFICATE_DAYS,
    clear: () => CERTIFICATE_DAYS,
    forSeconds: 3,
    clearSeconds: 3,
    level: 'warning',
    words: (value, { service }) => `the certificate of ${service} ends in ${value.toFixed(1)} days (the rule asks for ${CERTIFICATE_DAYS})`,
  },
  {
    name: 'JobStuck',
    metric: 'job_age_seconds',
    comparator: '>',
    threshold: () => JOB_SECONDS,
    clear: () => JOB_SECONDS,
    forSeconds: 3,
    clearSeconds: 3,
    level: 'high',
    words: (value, { service }) => `the job of ${service} has been at one batch for ${value.toFixed(0)} s (the limit is ${JOB_SECONDS} s)`,
  },
]

/** Where one rule stands for one service, between two rounds. */
export interface RuleState {
  rule: string
  service: string
  /** Since when the metric has been on the bad side without a break; null while it is not. */
  badSince: Date | null
  /** While it fires: since when the metric has been on the good side of `clear`. */
  goodSince: Date | null
  /** The alert as it was raised; null while it does not fire. */
  firing: Alert | null
}

/** One round: the next state of the rule, and the alert to raise, if any. A moment without data neither fires nor clears. */
export function evaluateRule(rule: AlertRule, reading: Reading, before: RuleState): { state: RuleState; alert: Alert | null } {
  const value = judgedValue(rule, reading)
  if (before.firing) return evaluateFiring(rule, reading, value, before, before.firing)
  if (value === null || !isBeyond(rule.comparator, value, rule.threshold(reading)))
    return { state: { ...before, badSince: null }, alert: null }
  const badSince = before.badSince ?? new Date(reading.at.getTime() - READING_SECONDS * MS)
  if (!hasLasted(badSince, reading.at, rule.forSeconds)) return { state: { ...before, badSince }, alert: null }
  const alert = makeAlert(rule, reading, value, badSince)
  return { state: { ...before, badSince, goodSince: null, firing: alert }, alert }
}

function evaluateFiring(
  rule: AlertRule,
  reading: Reading,
  value: number | null,
  before: RuleState,
  firing: Alert,
): { state: RuleState; alert: Alert | null } {
  if (value === null || isBeyond(rule.comparator, value, rule.clear(reading))) return { state: { ...before, goodSince: null }, alert: null }
  const goodSince = before.goodSince ?? new Date(reading.at.getTime() - READING_SECONDS * MS)
  if (!hasLasted(goodSince, reading.at, rule.clearSeconds)) return { state: { ...before, goodSince }, alert: null }
  const alert: Alert = { ...firing, status: 'resolved', endsAt: goodSince.toISOString(), summary: `Over: ${rule.words(value, reading)}` }
  return { state: { ...before, badSince: null, goodSince: null, firing: null }, alert }
}

function judgedValue(rule: AlertRule, reading: Reading): number | null {
  const needsTraffic = rule.metric === 'error_ratio' || rule.metric === 'latency_p99'
  return needsTraffic && reading.requestsPerSecond < MIN_REQUESTS_PER_SECOND ? null : reading[rule.metric]
}

function isBeyond(comparator: '>' | '<', value: number, bound: number): boolean {
  return comparator === '>' ? value > bound : value < bound
}

function hasLasted(from: Date, to: Date, seconds: number): boolean {
  return (to.getTime() - from.getTime()) / MS >= seconds - JITTER_SECONDS
}

function makeAlert(rule: AlertRule, reading: Reading, value: number, since: Date): Alert {
  const { service } = reading
  return {
    source: 'local',
    key: `local/${service}/${rule.name}/${since.toISOString()}`,
    name: rule.name,
    status: 'firing',
    level: rule.level,
    service,
    environment: ENVIRONMENT,
    summary: rule.words(value, reading),
    labels: { alertname: rule.name, service, environment: ENVIRONMENT },
    annotations: {},
    // The first look at which it was so: what caused it came before.
    startsAt: new Date(since.getTime() + READING_SECONDS * MS).toISOString(),
    endsAt: null,
    link: null,
    trigger: { service, metric: rule.metric, comparator: rule.comparator, threshold: rule.threshold(reading) },
  }
}
