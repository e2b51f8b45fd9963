import type { Scrape } from '../contract.ts'
import type { Reading } from './alert-rules.ts'
import { SHOP } from './catalogue.ts'
import { METRIC_VALUES } from './metrics.ts'
import { increasesOf, SUPERVISOR_INSTANCE } from './samples.ts'

/** What the latest round of scrapes says of each service, compared with the round before it. */
export function readingsOf(at: Date, before: readonly Scrape[], rows: readonly Scrape[]): Reading[] {
  return SHOP.map(({ name }) => {
    const own = (row: Scrape): boolean => row.service === name
    const latest = rows.filter(own)
    const increases = increasesOf([...before.filter(own), ...latest])
    const desired = latest.find((row) => row.instance === SUPERVISOR_INSTANCE)?.samples['workload_replicas_desired']
    return {
      service: name,
      at,
      requestsPerSecond: METRIC_VALUES.request_rate(latest, increases) ?? 0,
      error_ratio: METRIC_VALUES.error_ratio(latest, increases),
      latency_p99: METRIC_VALUES.latency_p99(latest, increases),
      memory_used_ratio: METRIC_VALUES.memory_used_ratio(latest, increases),
      replicas_ready: METRIC_VALUES.replicas_ready(latest, increases),
      log_volume_used_ratio: METRIC_VALUES.log_volume_used_ratio(latest, increases),
      certificate_days_left: METRIC_VALUES.certificate_days_left(latest, increases),
      job_age_seconds: METRIC_VALUES.job_age_seconds(latest, increases),
      recent_restarts: METRIC_VALUES.recent_restarts(latest, increases),
      desiredReplicas: desired ?? 0,
    }
  })
}
