import type { Source } from '../../agent/investigation/scope.ts'
import type { Change } from '../../integrations/ports/changes.ts'
import type { LogLine } from '../../integrations/ports/logs.ts'
import type { MetricName } from '../../integrations/ports/metrics.ts'
import type { Workload } from '../../integrations/ports/workloads.ts'
import { platformOf, SHOP_EDGES, SHOP_SERVICES, workload } from './shop-inventory.ts'

const USUAL: Partial<Record<MetricName, number>> = {
  request_rate: 20,
  error_ratio: 0,
  latency_p99: 0.02,
  latency_p50: 0.01,
  memory_used_ratio: 0.2,
  cpu_used_ratio: 0.1,
  replicas_ready: 1,
  restarts: 0,
}

/** The telemetry of a shop: one sample a second, the usual value unless `set` says otherwise for a time. */
export interface ShopTelemetry {
  source: Source
  set(service: string, metric: MetricName, value: number, from: Date, to?: Date): void
  /** No samples of any metric from here on. */
  silentFrom(moment: Date): void
  log(line: Partial<LogLine> & { service: string; at: Date; text: string }): void
  change(change: Partial<Change> & { service: string; at: Date }): void
  run(service: string, said: Partial<Workload>): void
  /** How often metrics were read. */
  reads(): number
}

export function createShopTelemetry(): ShopTelemetry {
  const spells: { service: string; metric: MetricName; value: number; from: number; to: number }[] = []
  const lines: (LogLine & { service: string })[] = []
  const changes: Change[] = []
  const workloads = new Map<string, Workload>(SHOP_SERVICES.map((name) => [name, workload(name, { version: 'v41' })]))
  let silence = Number.POSITIVE_INFINITY
  let reads = 0
  const valueAt = (service: string, metric: MetricName, time: number): number | undefined =>
    spells.findLast((spell) => spell.service === service && spell.metric === metric && spell.from <= time && time < spell.to)?.value ??
    USUAL[metric]
  const isWithin = (at: Date, { from, to }: { from: Date; to: Date }): boolean => at >= from && at <= to
  return {
    source: {
      id: 'shop',
      environments: ['shop'],
      metrics: {
        async read({ service, metric, from, to, stepSeconds }) {
          reads += 1
          const points = []
          for (let time = Math.ceil(from.getTime() / 1_000) * 1_000; time <= to.getTime() && time < silence; time += stepSeconds * 1_000) {
            const value = workloads.has(service) ? valueAt(service, metric, time) : undefined
            if (value !== undefined) points.push({ at: new Date(time), value })
          }
          return { query: `${metric}{service="${service}"}`, link: `http://shop.example/${service}/${metric}`, labels: {}, points }
        },
      },
      logs: {
        async read({ service, limit, ...window }) {
          const found = lines.filter((line) => line.service === service && isWithin(line.at, window))
          return { query: `logs ${service}`, link: null, lines: found.slice(-limit), omitted: Math.max(0, found.length - limit) }
        },
      },
      changes: {
        async list({ services, ...window }) {
          return {
            query: 'changes',
            changes: changes.filter(({ service, at }) => (services === 'all' || services.includes(service)) && isWithin(at, window)),
          }
        },
      },
      workloads: {
        ...platformOf([], SHOP_EDGES),
        list: async () => [...workloads.values()],
        find: async (service) => {
          const found = workloads.get(service)
          return found ? { query: `workload ${service}`, workload: found } : null
        },
      },
    },
    set: (service, metric, value, from, to) =>
      void spells.push({ service, metric, value, from: from.getTime(), to: to?.getTime() ?? Number.POSITIVE_INFINITY }),
    silentFrom: (moment) => {
      silence = moment.getTime()
    },
    log: (line) => void lines.push({ level: 'error', instance: null, version: 'v42', traceId: null, ...line }),
    change: (said) =>
      void changes.push({
        id: `c${changes.length}`,
        kind: 'release',
        environment: 'shop',
        summary: 'a release',
        by: 'pipeline',
        from: 'v41',
        to: 'v42',
        link: null,
        ...said,
      }),
    run: (service, said) => void workloads.set(service, workload(service, said)),
    reads: () => reads,
  }
}
