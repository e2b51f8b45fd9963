import type { FaultClass } from '../../agent/domain/fault-classes.ts'
import { type Span, say, shortCode } from './span.ts'

/** Where the class's own words would not read as English. */
const WORDS: Partial<Record<FaultClass, string>> = {
  bad_release: 'a bad release',
  bad_config_change: 'a bad configuration change',
  feature_flag: 'a feature flag',
  certificate_expired: 'an expired certificate',
  certificate_expiring: 'a certificate about to expire',
  oom_killed: 'killed for running out of memory',
  memory_leak: 'a memory leak',
  cpu_throttled: 'CPU throttling',
  crash_on_start: 'a crash on start',
  deadlock_or_hang: 'a deadlock or hang',
  job_stuck: 'a stuck job',
  traffic_surge: 'a surge of traffic',
  traffic_drop: 'a drop of traffic',
  retry_storm: 'a storm of retries',
  rate_limited: 'rate limiting',
  dependency_down: 'a dependency that is down',
  provider_outage: "a provider's outage",
  transient: 'a blip that passed',
  false_alarm: 'a false alarm',
  resolved_by_itself: 'something that resolved itself',
  unknown: 'not known yet',
}

const ACRONYMS = /\b(cpu|oom|pvc|pv|dns|db|pid|kube|env|mysql)\b/g

/** 'a bad release' for bad_release, 'DNS ...' for what has no words of its own. */
export function faultWords(fault: FaultClass): string {
  return WORDS[fault] ?? fault.replaceAll('_', ' ').replace(ACRONYMS, (word) => word.toUpperCase())
}

/** 'a bad release of payments'; a cause that is not known has no component worth naming. */
export function causeWords(fault: FaultClass, component: string): Span[] {
  return fault === 'unknown' ? say`not known yet` : say`${faultWords(fault)}, in ${shortCode(component)}`
}
