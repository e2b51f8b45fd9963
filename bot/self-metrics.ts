import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What is read when somebody asks for the metrics; a source that fails leaves its figures out. */
export interface MetricSources {
  outbox(): Promise<{ waiting: number; oldestSeconds: number; dead: number }>
  jobs(): Promise<{ waiting: number; dead: number }>
  acts(): Promise<boolean>
  eventStreams(): number
}

/** Figures of the process itself, in Prometheus' text form. */
export interface SelfMetrics {
  readonly contentType: string
  text(): Promise<string>
  countRequest(request: { method: string; route: string; status: number; seconds: number }): void
  /** accepted, duplicate, rejected (not readable), limited (too many), lost (not durable, so not accepted). */
  countDelivery(source: string, result: 'accepted' | 'duplicate' | 'rejected' | 'limited' | 'lost'): void
  countNotice(result: 'sent' | 'retried' | 'dead'): void
}

const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

export function createSelfMetrics(sources: MetricSources): SelfMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Histogram({
    name: 'steadyhand_http_request_duration_seconds',
    help: 'Time to answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
    registers,
  })
  const deliveries = new Counter({
    name: 'steadyhand_webhook_deliveries_total',
    help: 'Deliveries to the webhooks, by source and by what became of them.',
    labelNames: ['source', 'result'],
    registers,
  })
  const notices = new Counter({
    name: 'steadyhand_notices_total',
    help: 'Notices taken from the outbox.',
    labelNames: ['result'],
    registers,
  })
  const readGauges = createGauges(registers, sources)
  return {
    contentType: registry.contentType,
    async text() {
      await readGauges()
      return await registry.metrics()
    },
    countRequest: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    countDelivery: (source, result) => deliveries.inc({ source, result }),
    countNotice: (result) => notices.inc({ result }),
  }
}

/** Returns the call that reads every source once and sets its gauges. */
function createGauges(registers: Registry[], sources: MetricSources): () => Promise<void> {
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers })
  const waiting = gauge('steadyhand_outbox_waiting', 'Notices that wait to be sent.')
  const oldest = gauge('steadyhand_outbox_oldest_seconds', 'How long the oldest notice has waited.')
  const dead = gauge('steadyhand_outbox_dead', 'Notices that were given up.')
  const jobsWaiting = gauge('steadyhand_jobs_waiting', 'Jobs that wait to be done.')
  const jobsDead = gauge('steadyhand_jobs_dead', 'Jobs that were given up.')
  const acts = gauge('steadyhand_acts', '1 when approved actions may run, 0 when Steadyhand only observes.')
  const streams = gauge('steadyhand_event_streams', 'Open streams of server-sent events.')
  return async () => {
    const [outbox, jobs, mayAct] = await Promise.all([
      sources.outbox().catch(() => null),
      sources.jobs().catch(() => null),
      sources.acts().catch(() => false),
    ])
    for (const each of [waiting, oldest, dead, jobsWaiting, jobsDead]) each.remove()
    if (jobs) {
      jobsWaiting.set(jobs.waiting)
      jobsDead.set(jobs.dead)
    }
    if (outbox) {
      waiting.set(outbox.waiting)
      oldest.set(outbox.oldestSeconds)
      dead.set(outbox.dead)
    }
    acts.set(mayAct ? 1 : 0)
    streams.set(sources.eventStreams())
  }
}
