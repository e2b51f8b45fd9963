import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import type { ProposeDeps } from '../../../agent/actions/propose.ts'
import { createAgent, type RunningAgent } from '../../../agent/create-agent.ts'
import type { Alert } from '../../../agent/domain/alert.ts'
import { canonicalJson, digestOf } from '../../../agent/domain/canonical-json.ts'
import type { Located, Workspace } from '../../../agent/domain/workspace.ts'
import { createEventHub, type EventHub } from '../../../agent/events.ts'
import { createIntake } from '../../../agent/intake/pipeline.ts'
import { createModelHelp } from '../../../agent/investigation/model-help.ts'
import { createQuestions } from '../../../agent/investigation/questions.ts'
import type { Source } from '../../../agent/investigation/scope.ts'
import type { JournalEntry } from '../../../agent/ports.ts'
import { createTelemetry } from '../../../agent/telemetry/telemetry.ts'
import { createTopology } from '../../../agent/topology/inventory.ts'
import { createLiveSecrets } from '../../../bot/config/live-secrets.ts'
import { type ConfiguredPerson, loadConfig, type Settings } from '../../../bot/config.ts'
import { consolePresentations, peopleRows } from '../../../bot/configured-people.ts'
import { createDeadJobs } from '../../../bot/dead-jobs.ts'
import { createEdge, type Edge, type EdgeDeps } from '../../../bot/edge.ts'
import { fitsOnCard, RENDER_VERSION, renderHash } from '../../../bot/messages/plan-facts.ts'
import { type Page, pageNotice } from '../../../bot/page-notice.ts'
import type { Pace } from '../../../bot/slack/pace.ts'
import { renderBlocks } from '../../../bot/slack/render.ts'
import { alsoOnSlack, openSlack } from '../../../bot/slack/slack.ts'
import { webhookSources } from '../../../bot/webhook-sources.ts'
import { parseAlertmanagerWebhook } from '../../../integrations/alertmanager/webhook.ts'
import type { ModelPort } from '../../../integrations/ports/model.ts'
import type { Workload } from '../../../integrations/ports/workloads.ts'
import { WEBHOOKS } from '../../../integrations/registry.ts'
import { writeAuditExport } from '../../../storage/audit-export/write.ts'
import { writeBackup } from '../../../storage/backup/write.ts'
import type { OpenDatabase } from '../../../storage/database.ts'
import { isDatabaseAway } from '../../../storage/errors.ts'
import { spool } from '../../../storage/spool.ts'
import { createStores, type Stores, type StoresDeps } from '../../../storage/stores.ts'
import { aHypothesis } from '../builders.ts'
import { createFakeTarget, type FakeTarget } from '../fake-target.ts'
import { Client } from './client.ts'

export interface EdgeOptions {
  /** What the environment and the settings file would say. */
  environment?: Record<string, string>
  people?: readonly ConfiguredPerson[]
  /** Teams; everybody sees everything unless given. */
  workspaces?: readonly Workspace[]
  /** What runs; payments in the environment local unless given. Each calls the next. */
  services?: readonly Located[]
  /** What answers questions; none unless given. */
  models?: readonly ModelPort[]
  /** Reasons of the configuration to only observe. */
  configured?: readonly string[]
  namedPeople?: boolean
  needed?: number
  typed?: boolean
  ttlSeconds?: number
  /** Which part of the whole this is, on a database that its owner prepared; all of it unless given. */
  parts?: { edge: boolean; agent: boolean; executor: boolean }
  /** Shared with other processes; one of its own unless given. */
  target?: FakeTarget
  /** How fast Slack is written to, where it is set up; without waiting unless given. */
  slackPace?: Pace
  /** What is allowed; to ask, by the options above, unless given. */
  policy?: ProposeDeps['policy']
  /** What time it is; that of this machine unless given. */
  now?: () => Date
  /** Replaces parts, to make them fail. */
  change?: (deps: EdgeDeps) => EdgeDeps
}

export interface RunningEdge {
  url: string
  edge: Edge
  agent: RunningAgent
  stores: Stores
  target: FakeTarget
  /** The effect journal; what a test adds was done by somebody this database knows nothing of. */
  journal: JournalEntry[]
  hub: EventHub
  /** Log lines of warnings and errors. */
  lines: { level: string; object: object; message: string }[]
  /** A program or browser of its own: no cookies, no key. */
  client(): Client
  /** A browser that somebody is signed in with. */
  as(person: string): Promise<Client>
  /** Lets the fault be seen, and waits for the request that asks, and for its incident to say so; returns its id. */
  askSomething(withinSeconds?: number): Promise<string>
  close(): Promise<void>
}

const realNow = (): Date => new Date()

/** What the operator on the host presents. */
export const HOST_SECRET = 'h'.repeat(43)

const AUDIT_KEY = generateKeyPairSync('ed25519').privateKey

/** The whole edge over real stores and the real agent; only the target and the investigation's sources are stand-ins that work. */
export async function openEdge(database: OpenDatabase, options: EdgeOptions = {}): Promise<RunningEdge> {
  const now = options.now ?? realNow
  const settings = {
    ...loadConfig({ PORT: '0', ...options.environment }, '/nonexistent'),
    people: options.people ?? loadConfig({}, '/nonexistent').people,
    workspaces: options.workspaces ?? [],
  }
  const lines: RunningEdge['lines'] = []
  const logAt = (level: string) => (object: object, message: string) => void lines.push({ level, object, message })
  const log = { info: () => {}, warn: logAt('warn'), error: logAt('error') }
  const onDeadJob: StoresDeps['onDeadJob'] = (job, error) => deadJobs(job, error)
  const stores = createStores({ database, now, log, workerId: randomUUID(), onDeadJob })
  const page: Page = async (words, incidentId = null) =>
    void (await stores.outbox.enqueue(database.db, pageNotice(words, now(), incidentId)))
  const parts = options.parts ?? { edge: true, agent: true, executor: true }
  if (!options.parts) await stores.people.sync(peopleRows(settings.people, true))
  const target = options.target ?? createFakeTarget(now)
  const hub = createEventHub()
  const journal: JournalEntry[] = []
  const agent = createTestAgent({ stores, target, journal, log, options, settings, now })
  const render: EdgeDeps['render'] = (card) => {
    const { text, blocks } = renderBlocks(card)
    return { text, blocks: blocks.map((block) => ({ ...block })) }
  }
  const chat = await openSlack(settings, {
    ...stores,
    database,
    agent,
    page,
    now,
    log,
    pace: options.slackPace ?? { channelMs: 0, quietMs: 0, slowMs: 60_000 },
  })
  const deadJobs = createDeadJobs({ page, inbox: stores.inbox, chats: chat.chats, log })
  const deps: EdgeDeps = {
    settings,
    version: '0.0.0-test',
    live: createLiveSecrets(settings, now),
    agent,
    hub,
    namedPeople: options.namedPeople ?? (settings.api.keys.length === 0 && settings.oidc === null),
    sessions: stores.sessions,
    signInAttempts: stores.signInAttempts,
    hostSecret: HOST_SECRET,
    backUp: async () => await spool(tmpdir(), async (path) => await writeBackup(database, path, { product: '0.0.0-test', takenAt: now() })),
    exportAudit: async (since) =>
      await spool(
        tmpdir(),
        async (path) => await writeAuditExport(database, path, { since, key: AUDIT_KEY, product: '0.0.0-test', exportedAt: now() }),
      ),
    givenUp: stores.givenUp,
    integrations: [],
    messages: stores.messages,
    notices: stores.outbox,
    jobs: stores.queue,
    render,
    ...chat,
    ...webhookSources(WEBHOOKS, stores.inbox),
    pages: null,
    isAway: isDatabaseAway,
    notReady: async () => null,
    now,
    log,
  }
  const edge = createEdge(options.change?.(deps) ?? deps)
  await agent.start()
  if (parts.agent) await stores.queue.start()
  const { url } = parts.edge ? await edge.listen() : { url: '' }
  for (const each of chat.chats) await each.start()
  const stopListening = parts.edge ? await stores.onNotice(edge.announcer.wake) : () => {}
  const client = (): Client => new Client(url)
  return {
    url,
    edge,
    agent,
    stores,
    target,
    journal,
    hub,
    lines,
    client,
    async as(person) {
      const browser = client()
      await browser.signIn(person)
      return browser
    },
    async askSomething(withinSeconds) {
      const sent = await client().post('/webhooks/alertmanager', anAlert())
      if (sent.status !== 202) throw new Error(`the alert was not taken: ${sent.status}`)
      return await waitFor(async () => {
        const asked = (await stores.approvals.approvals({ state: 'pending', limit: 1 })).items[0]
        const waiting = await stores.incidents.list({ state: 'awaiting-approval', limit: 1 })
        return waiting.items.length > 0 ? (asked?.id ?? null) : null
      }, withinSeconds)
    },
    async close() {
      stopListening()
      await edge.close()
      for (const each of chat.chats) await each.stop()
      await stores.queue.stop(2_000)
      await agent.stop()
    },
  }
}

/** The agent with other answers, for whoever asks. */
export function withAnswers(deps: EdgeDeps, answers: Partial<EdgeDeps['agent']>): EdgeDeps {
  const agent: EdgeDeps['agent'] = { ...deps.agent, ...answers, seenBy: () => agent }
  return { ...deps, agent }
}

/** A firing alert of Alertmanager about payments; another moment makes it another one. */
export function anAlert(startsAt = '2026-03-01T10:42:00Z', status: 'firing' | 'resolved' = 'firing'): unknown {
  return {
    version: '4',
    status,
    receiver: 'steadyhand',
    groupKey: '{}:{alertname="HighErrorRatio"}',
    truncatedAlerts: 0,
    alerts: [
      {
        status,
        labels: { alertname: 'HighErrorRatio', service: 'payments', environment: 'local', severity: 'critical' },
        annotations: { summary: 'more than 5 % of the requests fail' },
        startsAt,
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://127.0.0.1:9090/graph',
        fingerprint: 'c0ffee',
      },
    ],
  }
}

/** Asks until there is an answer that is not null. */
export async function waitFor<T>(ask: () => Promise<T | null>, seconds = 15): Promise<T> {
  const end = Date.now() + seconds * 1_000
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (Date.now() > end) throw new Error(`nothing came within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

type Log = {
  info(object: object, message: string): void
  warn(object: object, message: string): void
  error(object: object, message: string): void
}

function createTestAgent({
  stores,
  target,
  journal,
  log,
  options,
  settings,
  now,
}: {
  stores: Stores
  target: FakeTarget
  journal: JournalEntry[]
  log: Log
  options: EdgeOptions
  settings: Settings
  now: () => Date
}): RunningAgent {
  const catalog = createCatalog([target.provider])
  const running = (options.services ?? [{ service: 'payments', environment: 'local' }]).map(
    (place): Workload => ({
      ...place,
      uid: 'uid-1',
      version: 'v2',
      previousVersion: 'v1',
      desiredReplicas: 2,
      readyReplicas: 2,
      restarts: 0,
      startedAt: null,
      events: [],
    }),
  )
  const names = running.map(({ service }) => service)
  const calls = names.slice(1).map((name, index) => ({ from: names[index] ?? '', to: name }))
  const workloads = {
    find: async (service: string) => {
      const workload = running.find((each) => each.service === service)
      return workload ? { query: service, workload } : null
    },
    list: async () => running,
    dependencies: async () => ({ query: 'all', edges: options.services ? calls : [{ from: 'checkout', to: 'payments' }] }),
  }
  const topology = createTopology({ sources: [{ id: 'fake', workloads }], now, log })
  const card = { fits: fitsOnCard, renderHash, renderVersion: RENDER_VERSION }
  const help = createModelHelp(options.models ?? [], {}, stores.modelRuns)
  const { workspaces } = settings
  return createAgent({
    ...stores,
    catalog,
    topology,
    questions: help
      ? createQuestions({ sources: [sourceOf(target)], runbooks: stores.runbooks, workspaces, help, evidence: stores.incidents, now, log })
      : undefined,
    telemetry: (seen) => createTelemetry({ sources: [sourceOf(target)], topology: seen, log }),
    workspaces: settings.workspaces,
    card,
    log,
    now,
    crashpoint: () => {},
    configured: () => options.configured ?? [],
    journal: { tryToWrite: async () => {}, append: async (entry) => void journal.push(entry), entries: async () => journal },
    queue: stores.work,
    lease: stores.leaseOf('executor'),
    watching: { round: async () => {}, end: async () => {} },
    objectionOfPolicy: () => null,
    intake: createIntake({
      incidents: stores.incidents,
      topology,
      drills: { current: async () => null, environments: [], sources: [] },
      workspaces: settings.workspaces,
      now,
      log,
    }),
    investigation: {
      run: async (incidentId) => {
        const hypotheses = [aHypothesis({ class: 'bad_release', component: 'service/payments', claims: [], against: [] })]
        await stores.incidents.saveHypotheses(incidentId, hypotheses)
        return { hypotheses, symptom: null, symptomActive: true, corroborated: true }
      },
      watch: async () => ({ result: 'waiting', lookAgainAt: now() }),
      refine: async () => {},
      refines: null,
    },
    parsers: new Map([['alertmanager', readAlerts]]),
    proposing: {
      kernel: stores.approvals,
      catalog,
      card,
      policy:
        options.policy ??
        (() => ({
          decide: 'ask',
          asking: {
            rule: 'test',
            role: 'approver',
            needed: options.needed ?? 1,
            requesterMayApprove: false,
            ttlSeconds: options.ttlSeconds ?? 600,
            cooldownSeconds: 0,
            typed: options.typed ?? false,
          },
        })),
      presentations: alsoOnSlack(settings, consolePresentations(settings), stores.meta),
      dependents: async () => ['checkout'],
      build: () => digestOf(canonicalJson('test')),
      workspaces: settings.workspaces,
      now,
    },
    drills: {
      list: () => [
        {
          name: 'bad-release',
          title: 'A release that answers errors',
          expects: 'action',
          service: 'payments',
          truth: { class: 'bad_release', component: 'service/payments', action: null },
        },
      ],
      start: async () => {
        throw Object.assign(new Error('bad-release is running'), { name: 'DrillBusy' })
      },
      run: async () => null,
      current: async () => null,
    },
    page: async () => {},
    ...(options.parts ? { parts: options.parts } : {}),
  })
}

/** The metrics of the fake target, and logs that say what outsiders may write. */
function sourceOf({ provider: { id, environments, metrics } }: FakeTarget): Source {
  const line = { level: 'error' as const, instance: null, version: 'v2', traceId: null }
  return {
    id,
    environments,
    ...(metrics ? { metrics } : {}),
    logs: {
      read: async ({ service, to }) => ({
        query: `logs(${service})`,
        link: null,
        lines: ['charge failed <!channel> password=hunter2', 'charge failed <!channel> password=hunter3'].map((text) => ({
          ...line,
          at: to,
          text,
        })),
        omitted: 3,
      }),
    },
  }
}

function readAlerts(body: Uint8Array): Alert[] {
  const parsed = parseAlertmanagerWebhook(body)
  if (!parsed.ok) throw new Error(parsed.words)
  return parsed.alerts
}
