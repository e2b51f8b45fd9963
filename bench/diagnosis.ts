import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertSchema } from '../agent/domain/alert.ts'
import { investigate } from '../agent/investigation/investigate.ts'
import type { IncidentStore } from '../agent/ports.ts'
import type { Edge } from '../agent/topology/dependency-graph.ts'
import { createTopology } from '../agent/topology/inventory.ts'
import type { WorkloadsPort } from '../integrations/ports/workloads.ts'
import { createPrometheus } from '../integrations/prometheus/index.ts'
import { openDatabase } from '../storage/database.ts'
import { createIncidentStore } from '../storage/incidents.ts'
import { migrateToLatest } from '../storage/migrate.ts'
import { distribution, type Figure } from './report.ts'
import type { BenchOptions } from './run.ts'

const SERVICES = 100
const ROUNDS = 40
const ENVIRONMENT = 'bench'
/** The service of which everything up to the front door becomes slow. */
const SLOW = 'service-39'

/**
 * A round of diagnosis without a model among a hundred services: metrics from an HTTP server that speaks the query API of Prometheus, rows in
 * PGlite. From the question to the stored hypotheses, and how often it named the place.
 */
export async function run({ rounds }: BenchOptions): Promise<readonly Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const telemetry = await serveTelemetry()
  const now = (): Date => new Date()
  const database = await openDatabase({ dataDir, now })
  try {
    await migrateToLatest(database.db)
    const log = { info: () => {}, warn: () => {} }
    const incidents = createIncidentStore({ db: database.db, now })
    const prometheus = createPrometheus({ ...SETTINGS, url: telemetry.url })
    const topology = createTopology({ sources: [{ id: 'bench', workloads: platform() }], now, log })
    const deps = {
      incidents,
      sources: [prometheus, { id: 'bench', environments: [ENVIRONMENT], workloads: platform() }],
      topology,
      now,
      log,
    }
    const samples: number[] = []
    let right = 0
    const count = rounds ?? ROUNDS
    for (let round = 0; round < count; round += 1) {
      const id = await openIncident(incidents, round, new Date(telemetry.slowFrom * 1_000 + 20_000))
      const began = performance.now()
      const { hypotheses } = await investigate(deps, id, new AbortController().signal)
      samples.push(performance.now() - began)
      if (hypotheses[0]?.component === `service/${SLOW}`) right += 1
    }
    return [
      distribution(`diagnosis without a model, ${SERVICES} services`, 'ms', samples),
      { name: 'named the service where it began', value: right / count, unit: '', n: count },
    ]
  } finally {
    await database.close()
    telemetry.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const SETTINGS = {
  ...{ environment: ENVIRONMENT, linkUrl: null, token: null, tenant: null, namespaces: [], scrapeSeconds: 5 },
  names: { serviceLabel: 'service', match: {}, requests: 'requests', statusLabel: 'status', duration: 'duration', queries: {} },
}

/** Every service calls two of those behind it, so that paths of calls are long and the neighbourhood has to be cut. */
function callsOf(number: number): Edge[] {
  const called = [number * 2 + 1, number * 2 + 2].filter((other) => other < SERVICES)
  return called.map((other) => ({ from: `service-${number}`, to: `service-${other}` }))
}

function platform(): WorkloadsPort {
  const edges = Array.from({ length: SERVICES }, (_, number) => callsOf(number)).flat()
  const workloads = Array.from({ length: SERVICES }, (_, number) => ({
    ...{ service: `service-${number}`, environment: ENVIRONMENT, uid: `uid-${number}`, version: 'v1', previousVersion: null },
    ...{ desiredReplicas: 1, readyReplicas: 1, restarts: 0, startedAt: null, events: [] },
  }))
  return {
    list: async () => workloads,
    dependencies: async () => ({ query: 'calls', edges }),
    find: async (name) => {
      const workload = workloads.find(({ service }) => service === name)
      return workload ? { query: name, workload } : null
    },
  }
}

/** Who calls the slow service, directly or through others, waits for it as long. */
function isSlow(service: string): boolean {
  const number = Number(service.replace('service-', ''))
  let slow = Number(SLOW.replace('service-', ''))
  while (slow > number) slow = Math.floor((slow - 1) / 2)
  return slow === number
}

async function serveTelemetry(): Promise<{ url: string; slowFrom: number; stop(): void }> {
  const slowFrom = Date.now() / 1_000 - 90
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://bench').searchParams
    const query = asked.get('query') ?? ''
    const service = /service="([^"]+)"/.exec(query)?.[1] ?? ''
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(asked.get(name)))
    const values: [number, string][] = []
    for (let at = start ?? 0; at <= (end ?? 0); at += step ?? 1) values.push([at, String(sampleOf(query, service, at, slowFrom))])
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values }] } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, slowFrom, stop }
}

/** Slowness that no limit speaks of: 90 ms instead of 30. */
function sampleOf(query: string, service: string, at: number, slowFrom: number): number {
  const wave = 1 + 0.03 * Math.sin(at)
  if (query.includes('histogram_quantile')) return (at >= slowFrom && isSlow(service) ? 0.09 : 0.03) * wave
  if (query.includes('status=~')) return 0
  if (query.includes('restarts')) return 1
  return query.includes('container_') ? 0.3 * wave : 20 * wave
}

async function openIncident(incidents: IncidentStore, round: number, startedAt: Date): Promise<string> {
  const alert = alertSchema.parse({
    ...{ source: 'bench', key: `slow-${round}`, status: 'firing', name: 'Slow', level: 'critical', service: 'service-4' },
    ...{
      environment: ENVIRONMENT,
      summary: null,
      startsAt: startedAt.toISOString(),
      endsAt: null,
      labels: {},
      annotations: {},
      link: null,
    },
    trigger: { service: 'service-4', metric: 'latency_p99', comparator: '>', threshold: 0.05 },
  })
  const { incidentId } = await incidents.absorb(alert, null, () => ({
    ...{ do: 'open', title: 'service-4: Slow', service: 'service-4', environment: ENVIRONMENT, severity: 2 },
    ...{ severityReason: 'level critical', drillRun: null, reason: 'Slow is firing' },
  }))
  if (incidentId === null) throw new Error('an incident was expected')
  return incidentId
}
