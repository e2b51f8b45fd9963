import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { CheckResult, Integration, IntegrationDeps } from '../contract.ts'
import { createArchiveLogs } from './actions/archive-logs.ts'
import { createRenewCertificate } from './actions/renew-certificate.ts'
import { createRestart } from './actions/restart.ts'
import { createRestartJob } from './actions/restart-job.ts'
import { createRollback } from './actions/rollback.ts'
import { createScale } from './actions/scale.ts'
import { createBankRecovery } from './bank-recovery.ts'
import { ENVIRONMENT, SHOP } from './catalogue.ts'
import { createLocalChanges } from './changes.ts'
import { createDesiredState } from './desired-state.ts'
import { createDetection } from './detection.ts'
import { createDrillGround } from './drill-ground.ts'
import { createLogStore } from './logs.ts'
import { createLocalMetrics } from './metrics.ts'
import { createScraper } from './scrape.ts'
import { createShopData } from './shop-data.ts'
import { createShopFiles } from './shop-files.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import { createLocalWorkloads } from './workloads.ts'

const NOT_STARTED: CheckResult = {
  name: 'local',
  status: 'ok',
  words: 'a shop of four services on this machine; it runs while Steadyhand runs',
  fix: null,
}
/** Readiness is waited for this long; a shop that takes longer goes on starting by itself. */
const READY_WITHIN_MS = 5_000

export const localOptionsSchema = z.strictObject({
  /** A directory of its own, for the shop's files and its compile cache. */
  dir: z.string().min(1),
})
export type LocalOptions = z.infer<typeof localOptionsSchema>

/** Where an instance of the shop can be scraped by a Prometheus beside this process. */
export interface ScrapeTarget {
  service: string
  instance: string
  version: string
  /** 'host:port' */
  address: string
}

export type LocalTarget = Integration &
  Required<Pick<Integration, 'metrics' | 'logs' | 'changes' | 'workloads' | 'actions' | 'drills'>> & {
    scrapeTargets(): ScrapeTarget[]
    /** All processes of the shop, the world outside included. */
    processes(): { instance: string; service: string; pid: number | null }[]
  }

/** A shop of real services as processes of this machine, behind the same ports as a cluster. */
export function createLocalTarget(deps: IntegrationDeps, { dir }: LocalOptions): LocalTarget {
  const { now, log } = deps
  const newId = (): string => randomUUID()
  let started = false
  const state = createDesiredState(deps, newId)
  const logs = createLogStore({ state, now })
  const data = createShopData({ dir, state, log })
  const files = createShopFiles({ dir, state })
  const bank = createBankRecovery({ state, log })
  const supervisor = createSupervisor({
    state,
    dir,
    now,
    newId,
    onLine: ({ id, service, version }, stream, line) => logs.append({ service, version, instance: id, stream }, line),
  })
  const detection = createDetection(deps)
  const scraper = createScraper({ supervisor, state, scrapes: deps.scrapes, now, log, onRound: detection.judge })
  const actions = [createRollback, createRestart, createScale, createArchiveLogs, createRenewCertificate, createRestartJob].map((create) =>
    create({ state, supervisor, now, newId }),
  )
  return {
    id: 'local',
    environments: [ENVIRONMENT],
    metrics: createLocalMetrics({ scrapes: deps.scrapes, state }),
    logs,
    changes: createLocalChanges({ state }),
    workloads: createLocalWorkloads({ state, supervisor }),
    actions,
    drills: createDrillGround({ state, supervisor, detection, now, newId }),
    async start() {
      started = true
      await Promise.all([state.open(), detection.open()])
      await data.start()
      await files.start()
      supervisor.start()
      bank.start()
      scraper.start()
      await supervisor
        .settled(AbortSignal.timeout(READY_WITHIN_MS))
        .catch((error: unknown) => log.warn({ error }, 'the shop is not ready yet'))
    },
    async stop() {
      data.stop()
      bank.stop()
      await scraper.stop()
      await Promise.all([supervisor.stop(), detection.idle()])
    },
    check: async () => (started ? SHOP.map(({ name }) => checkService(supervisor, name)) : [NOT_STARTED]),
    scrapeTargets: () =>
      supervisor
        .instances()
        .filter(({ phase }) => phase === 'ready')
        .map(({ id, service, version, port }) => ({ service, instance: id, version, address: `127.0.0.1:${port}` })),
    processes: () => supervisor.processes().map(({ id, service, pid }) => ({ instance: id, service, pid })),
  }
}

function checkService(supervisor: Supervisor, name: string): CheckResult {
  const observed = supervisor.observe(name)
  const ready = observed?.ready ?? 0
  if (ready > 0) return { name: `local/${name}`, status: 'ok', words: `${ready} of its processes answer`, fix: null }
  const words = `no process of it answers: ${observed?.events[0]?.text ?? 'none was started'}`
  return { name: `local/${name}`, status: 'failed', words, fix: `Look at the latest log lines of ${name}; they say why it does not start.` }
}
