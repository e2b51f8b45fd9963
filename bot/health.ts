import { Hono } from 'hono'
import { PRODUCT } from './api/system.ts'
import type { Settings } from './config.ts'
import { type Listening, listen } from './listen.ts'
import { type Checked, outermostCheck, withSecurityHeaders } from './outermost-check.ts'
import { HttpProblem, INTERNAL_PROBLEM, problemOf, problemResponse } from './problem.ts'
import type { SelfMetrics } from './self-metrics.ts'

export interface HealthDeps {
  settings: Pick<Settings, 'host' | 'hosts' | 'healthPort'>
  version: string
  metrics: Pick<SelfMetrics, 'text' | 'contentType'>
  /** Resolves to what keeps this process from its work now; null when nothing does. */
  notReady(): Promise<string | null>
  acts(): Promise<boolean>
  /** Whether a fault means that the database is away for the moment. */
  isAway(error: unknown): boolean
  log: { info(object: object, message: string): void; error(object: object, message: string): void }
}

/** A port for probes and scrapers only: `/healthz`, `/readyz` and `/metrics`, for each kind of process, the ones that serve nobody included. */
export interface Health {
  /** Null where no port is set. @throws CannotListen */
  listen(): Promise<Listening | null>
  close(): Promise<void>
}

/**
 * Asks nobody who they are: whoever reaches the port reads figures and whether the process is well, no words and nothing of an incident. The port
 * is on the loopback address unless HOST says otherwise.
 */
export function createHealth(deps: HealthDeps): Health {
  const { settings, log } = deps
  const app = healthApp(deps)
  let listening: Listening | null = null
  return {
    async listen() {
      if (settings.healthPort === null) return null
      listening = await listen({
        fetch: withSecurityHeaders(async (request, env) => await app.fetch(request, env as object)),
        host: settings.host,
        port: settings.healthPort,
        setting: 'HEALTH_PORT',
      })
      log.info({ url: listening.url }, 'probes and scrapers are answered')
      return listening
    },
    close: async () => await listening?.close(),
  }
}

function healthApp({ settings, version, metrics, notReady, acts, isAway, log }: HealthDeps): Hono<Checked> {
  const app = new Hono<Checked>()
  app.use('*', outermostCheck({ host: settings.host, hosts: settings.hosts, publicUrl: null }))
  app.get('/healthz', (context) => context.json({ status: 'ok', product: PRODUCT, version }))
  app.get('/readyz', async (context) => {
    const reason = await notReady()
    if (reason !== null) throw new HttpProblem('unavailable', reason)
    return context.json({ status: 'ready', mode: (await acts()) ? 'act' : 'observe' })
  })
  app.get('/metrics', async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } }))
  app.notFound(() => problemResponse(problemOf(new HttpProblem('not-found')) ?? INTERNAL_PROBLEM))
  app.onError((error, context) => {
    const problem = problemOf(isAway(error) ? new HttpProblem('unavailable') : error)
    if (problem === null) log.error({ err: error, path: context.req.path }, 'a probe could not be answered')
    return problemResponse(problem ?? INTERNAL_PROBLEM)
  })
  return app
}
