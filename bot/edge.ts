import type { Hono } from 'hono'
import type { Agent } from '../agent/agent.ts'
import type { EventHub } from '../agent/events.ts'
import type { Trace } from '../agent/trace.ts'
import { type Announcer, createAnnouncer, type NoticeQueue } from './announcer.ts'
import { type AdminApiDeps, adminEndpoints } from './api/admin.ts'
import { approvalEndpoints } from './api/approvals.ts'
import { auditEndpoints } from './api/audit.ts'
import { authEndpoints } from './api/auth.ts'
import { chartEndpoints } from './api/charts.ts'
import { commandEndpoints } from './api/commands.ts'
import { drillEndpoints } from './api/drills.ts'
import type { Endpoint } from './api/endpoint.ts'
import { createEventStreams } from './api/events.ts'
import { evidenceEndpoints } from './api/evidence.ts'
import { type GivenUpApiDeps, givenUpEndpoints } from './api/given-up.ts'
import { incidentEndpoints } from './api/incidents.ts'
import { messageEndpoints } from './api/messages.ts'
import { modelRunEndpoints } from './api/model-runs.ts'
import { recordsEndpoints } from './api/records.ts'
import { seenByCaller } from './api/seen-by-caller.ts'
import { serviceEndpoints } from './api/services.ts'
import { sessionEndpoints } from './api/session.ts'
import { modeEndpoints, systemEndpoints } from './api/system.ts'
import { createPngs } from './charts/png.ts'
import type { LiveSecrets } from './config/live-secrets.ts'
import type { Settings } from './config.ts'
import { type ConsoleMessages, createConsoleSurface } from './console/surface.ts'
import { createHealth, type Health } from './health.ts'
import { agentFor, createIdentity, type SessionRows } from './identity.ts'
import { type Listening, listen } from './listen.ts'
import { createIdentityProvider } from './oidc/provider.ts'
import { type CheckedRows, createSessionCheck } from './oidc/session-check.ts'
import { type AttemptRows, createSignIn, type SignInDeps } from './oidc/sign-in.ts'
import { createRenderedCards, type RenderCard } from './rendered-cards.ts'
import { createSelfMetrics } from './self-metrics.ts'
import { createServer, type EdgeApp } from './server.ts'
import type { Surface } from './surface.ts'
import { type WebhookDeps, webhookEndpoints } from './webhook-routes.ts'
import { refused } from './who-may.ts'

const THREAD_LENGTH = 200

export interface EdgeDeps {
  settings: Pick<Settings, 'host' | 'port' | 'healthPort' | 'publicUrl' | 'hosts' | 'api' | 'webhooks' | 'oidc' | 'workspaces'>
  version: string
  /** The secrets that are exchanged while this runs. */
  live: Pick<LiveSecrets, 'apiKeys' | 'webhookTokens'>
  agent: Agent
  hub: EventHub
  /** Nobody is told unless given. */
  trace?: Trace
  /** Whether people may be signed in by name: loopback, no tokens, no real targets. */
  namedPeople: boolean
  sessions: SessionRows & CheckedRows & SignInDeps['sessions']
  signInAttempts: AttemptRows
  /** What proves the operator on this machine. */
  hostSecret: string
  backUp: AdminApiDeps['backUp']
  exportAudit: AdminApiDeps['exportAudit']
  givenUp: GivenUpApiDeps['givenUp']
  integrations: AdminApiDeps['integrations']
  messages: ConsoleMessages
  notices: NoticeQueue & {
    oldestUnsent(): Promise<{ waitedSeconds: number; waiting: number } | null>
    countDead(): Promise<number>
  }
  jobs: { counts(): Promise<{ waiting: number; dead: number }> }
  render: RenderCard
  /** Chats beside the console, and where they are called at. */
  surfaces: readonly Surface[]
  chatEndpoints: readonly Endpoint[]
  sources: WebhookDeps['sources']
  keepRejected: WebhookDeps['keepRejected']
  newest: WebhookDeps['newest']
  pages: Hono | null
  /** Resolves to what keeps alerts from being taken now; null when nothing does. */
  notReady(): Promise<string | null>
  /** Whether a fault means that the database is away for the moment. */
  isAway(error: unknown): boolean
  now: () => Date
  log: {
    info(object: object, message: string): void
    warn(object: object, message: string): void
    error(object: object, message: string): void
  }
}

/** Everything people and programs reach Steadyhand by: the HTTP interface, the console, the webhooks, and what is told to surfaces. */
export interface Edge {
  app: EdgeApp
  endpoints: readonly Endpoint[]
  announcer: Announcer
  /** What probes call, in processes that serve nobody as well. */
  health: Health
  /** @throws CannotListen */
  listen(): Promise<Listening>
  /** Takes no more requests, ends what was begun, tells what waits no longer. */
  close(): Promise<void>
}

export function createEdge(deps: EdgeDeps): Edge {
  const { agent, settings, render, now, log } = deps
  const { apiKeys, webhookTokens: tokens } = deps.live
  let listening: Listening | null = null
  const consoleUrl = (): string | null => settings.publicUrl ?? listening?.url ?? null
  const ownUrl = (): string => consoleUrl() ?? `http://${settings.host}:${settings.port}`
  const events = createEventStreams({
    hub: deps.hub,
    stillSees: async (credentials, { sight }) => agentFor(agent, await identity.callerOf(credentials), null).sight === sight,
  })
  const acts = async (): Promise<boolean> => (await agent.mode()).mode === 'act'
  const metrics = createSelfMetrics({
    outbox: () => outboxFigures(deps),
    jobs: () => deps.jobs.counts(),
    acts,
    eventStreams: events.open,
  })
  const secureCookie = settings.publicUrl?.startsWith('https:') ?? false
  const provider = settings.oidc ? createIdentityProvider({ settings: settings.oidc, now, log }) : null
  const identity = createIdentity({
    agent,
    sessions: deps.sessions,
    apiKeys,
    namedPeople: deps.namedPeople,
    oidc:
      provider && settings.oidc ? { issuer: settings.oidc.issuer, check: createSessionCheck({ provider, sessions: deps.sessions }) } : null,
    secureCookie,
  })
  const signIn =
    provider && settings.oidc
      ? createSignIn({
          ...settings.oidc,
          ...deps,
          provider,
          identity,
          attempts: deps.signInAttempts,
          ownUrl,
          behindProxy: settings.publicUrl !== null,
          secureCookie,
        })
      : null
  const drawPng = createPngs()
  /** What a caller may ask for: made anew for each kind of sight there is, of an agent that sees no more. */
  const ofCallers = (seen: Agent): Endpoint[] => [
    ...modeEndpoints({ agent: seen }),
    ...messageEndpoints({ messages: deps.messages, agent: seen }),
    ...incidentEndpoints({
      agent: seen,
      renderCards: createRenderedCards({ agent: seen, render, now, consoleUrl }),
      thread: (incidentId) => deps.messages.thread('console', incidentId, THREAD_LENGTH),
      now,
    }),
    ...evidenceEndpoints({ agent: seen }),
    ...modelRunEndpoints({ agent: seen }),
    ...chartEndpoints({ agent: seen, drawPng }),
    ...recordsEndpoints({ agent: seen, now }),
    ...approvalEndpoints({ agent: seen }),
    ...commandEndpoints({ agent: seen, now, consoleUrl, render }),
    ...drillEndpoints({ agent: seen }),
    ...auditEndpoints({ agent: seen }),
    ...serviceEndpoints({ agent: seen }),
    ...events.endpoints(seen),
  ]
  const endpoints: Endpoint[] = [
    ...systemEndpoints({
      version: deps.version,
      agent,
      metrics,
      tellsReasons: settings.api.keys.length === 0 && settings.workspaces.length === 0,
      notReady: deps.notReady,
      all: () => endpoints,
    }),
    ...webhookEndpoints({ ...deps, tokens, limits: settings.webhooks, metrics }),
    ...sessionEndpoints({ agent, identity }),
    ...authEndpoints({ signIn, namedPeople: deps.namedPeople }),
    ...adminEndpoints(deps),
    ...givenUpEndpoints(deps),
    ...seenByCaller(agent, ofCallers),
    ...deps.chatEndpoints,
  ]
  const app = createServer({
    ...settings,
    endpoints,
    pages: deps.pages,
    identity,
    metrics,
    isAway: deps.isAway,
    refused: (error, attempt) => refused(agent, error, attempt),
    now,
    log,
  })
  const surfaces = [createConsoleSurface({ messages: deps.messages, render }), ...deps.surfaces]
  const announcer = createAnnouncer({ queue: deps.notices, agent, surfaces, hub: deps.hub, metrics, now, log })
  return {
    app,
    endpoints,
    announcer,
    health: createHealth({ ...deps, metrics, acts }),
    async listen() {
      listening = await listen({ fetch: app.fetch, host: settings.host, port: settings.port })
      announcer.start()
      return listening
    },
    async close() {
      events.close()
      await listening?.close()
      await announcer.stop()
    },
  }
}

async function outboxFigures({ notices }: EdgeDeps): Promise<{ waiting: number; oldestSeconds: number; dead: number }> {
  const [oldest, dead] = await Promise.all([notices.oldestUnsent(), notices.countDead()])
  return { waiting: oldest?.waiting ?? 0, oldestSeconds: oldest?.waitedSeconds ?? 0, dead }
}
