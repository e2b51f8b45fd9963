import { type Context, Hono } from 'hono'
import { credentialsOf, type Endpoint, mountEndpoints } from './api/endpoint.ts'
import type { Identity } from './identity.ts'
import { type Checked, outermostCheck, withSecurityHeaders } from './outermost-check.ts'
import { HttpProblem, INTERNAL_PROBLEM, problemOf, problemResponse } from './problem.ts'
import type { SelfMetrics } from './self-metrics.ts'
import type { Attempt } from './who-may.ts'

export interface ServerDeps {
  /** Where it will listen, and the address people reach it at, if that is another. */
  host: string
  publicUrl: string | null
  /** More names it is reached by. */
  hosts: readonly string[]
  endpoints: readonly Endpoint[]
  /** Pages of the console; they need no caller and tell nothing by themselves. */
  pages: Hono | null
  identity: Pick<Identity, 'callerOf'>
  metrics: Pick<SelfMetrics, 'countRequest'>
  /** Whether a fault means that the database is away for the moment. */
  isAway(error: unknown): boolean
  /** An error as its caller is told of it, once a refusal was noted. */
  refused(error: unknown, attempt: Attempt): Promise<unknown>
  now: () => Date
  log: { error(object: object, message: string): void }
}

/** What answers HTTP requests: one check before everything, then the endpoints, and every "no" as a problem document. */
export interface EdgeApp {
  fetch(request: Request, env?: unknown): Promise<Response>
  /** Method and path of each route, for the comparison with the description of the interface. */
  routes(): { method: string; path: string }[]
}

export function createServer(deps: ServerDeps): EdgeApp {
  const app = new Hono<Checked>()
  app.use('*', measure(deps))
  const bodyTypes = new Map(deps.endpoints.flatMap(({ path, bodyType }) => (bodyType ? [[path, bodyType] as const] : [])))
  app.use('*', outermostCheck({ ...deps, bodyTypes }))
  mountEndpoints(app, deps.endpoints, { callerOf: (context) => deps.identity.callerOf(credentialsOf(context)), refused: deps.refused })
  if (deps.pages) app.route('/', deps.pages)
  app.notFound((context) => answerProblem(missing(deps.endpoints, context)))
  app.onError((error, context) => {
    if (problemOf(error) === null) {
      deps.log.error({ err: error, method: context.req.method, path: context.req.path }, 'a request could not be answered')
    }
    return answerProblem(deps.isAway(error) ? databaseAway() : error)
  })
  return { fetch: withSecurityHeaders(async (request, env) => await app.fetch(request, env as object)), routes: () => routesOf(app) }
}

function measure({ metrics, now }: ServerDeps): (context: Context<Checked>, next: () => Promise<void>) => Promise<void> {
  return async (context, next) => {
    const begin = now().getTime()
    await next()
    const seconds = Math.max(0, now().getTime() - begin) / 1_000
    metrics.countRequest({ method: context.req.method, route: context.get('route') ?? 'other', status: context.res.status, seconds })
  }
}

/** Whether what was begun took effect is not known here; a click that is sent again counts once. */
function databaseAway(): HttpProblem {
  return new HttpProblem('unavailable', 'The database does not answer at the moment. Try again soon; nothing counts twice.', {
    'retry-after': '5',
  })
}

function answerProblem(error: unknown): Response {
  return problemResponse(problemOf(error) ?? INTERNAL_PROBLEM, error instanceof HttpProblem ? error.headers : {})
}

/** 405 for an address that knows other methods, 404 for one that knows none. */
function missing(endpoints: readonly Endpoint[], { req }: Context): HttpProblem {
  const methods = endpoints.filter(({ path }) => patternOf(path).test(req.path)).map(({ method }) => method.toUpperCase())
  return methods.length === 0 ? new HttpProblem('not-found') : new HttpProblem('method-not-allowed', null, { allow: methods.join(', ') })
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`)
}

function routesOf(app: Hono<Checked>): { method: string; path: string }[] {
  return app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => ({ method, path }))
}
