import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { assembleAgent } from '../agent/assemble.ts'
import { createCrashpoint } from '../agent/crashpoint.ts'
import type { RunningAgent } from '../agent/create-agent.ts'
import { createEventHub } from '../agent/events.ts'
import { createModelHelp } from '../agent/investigation/model-help.ts'
import { loadRunbooks } from '../agent/knowledge/load-runbooks.ts'
import { readRunbook } from '../agent/knowledge/read-runbook.ts'
import { DEFAULT_POLICY } from '../agent/policy/default-policy.ts'
import { createPolicyInForce, problemsOfPolicy } from '../agent/policy-in-force.ts'
import type { Integration, IntegrationDeps } from '../integrations/contract.ts'
import { call } from '../integrations/http.ts'
import type { DrillScenario } from '../integrations/ports/drills.ts'
import { createIntegrations, createModels, WEBHOOKS } from '../integrations/registry.ts'
import { type ExportOptions, writeAuditExport } from '../storage/audit-export/write.ts'
import { writeBackup } from '../storage/backup/write.ts'
import { type OpenDatabase, openDatabase } from '../storage/database.ts'
import { openEffectJournal } from '../storage/effect-journal.ts'
import { isDatabaseAway } from '../storage/errors.ts'
import { migrateToLatest } from '../storage/migrate.ts'
import { spool } from '../storage/spool.ts'
import { createStores, type Stores, type StoresDeps } from '../storage/stores.ts'
import { openAuditKey } from './audit-key.ts'
import { createLiveSecrets, keyed, type LiveSecrets } from './config/live-secrets.ts'
import type { Settings } from './config.ts'
import { consolePresentations, mayUseNames, peopleRows } from './configured-people.ts'
import { consoleRoutes } from './console/routes.ts'
import { createDeadJobs } from './dead-jobs.ts'
import { createEdge } from './edge.ts'
import { openHostSecret } from './host-secret.ts'
import { takeTheHostsWord } from './hosts-word.ts'
import { integrationDeps, unlentDeps } from './integration-deps.ts'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import { type Page, pageNotice } from './page-notice.ts'
import { PLAN_CARD } from './plan-card.ts'
import { readPolicySource } from './policy-file.ts'
import { partsOf, type RoleOfProcess, startedIn } from './process-role.ts'
import { readRunbookFolders } from './runbook-folder.ts'
import { renderPlain } from './slack/plain-blocks.ts'
import { alsoOnSlack, examineSlack, NO_CHAT, openSlack } from './slack/slack.ts'
import { openTrace } from './traces/open.ts'
import { webhookSources } from './webhook-sources.ts'

export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version

/** The one clock of the process. */
export const now = (): Date => new Date()

export type Log = IntegrationDeps['log']

/** Everything of one process, put together and not started. */
export interface App extends Lifecycle, Pick<Stores, 'givenUp'> {
  agent: RunningAgent
  integrations: readonly Integration[]
  page: Page
}

export interface AppOptions {
  /** Told when the database is lost while open: the process has to end then. */
  onLost?: (words: string) => void
  /** To look at what is there and change nothing: no migration, no people. Such an app is not started. */
  inspect?: boolean
  /** One of three processes on a database that is prepared; all of it unless given. */
  role?: RoleOfProcess
  /** Secrets that are exchanged while it runs; those of the settings unless given. */
  live?: LiveSecrets
}

/** @throws DataDirectoryUnusable, DatabaseUnavailable, MigrationFailed, each with what to do */
export async function createApp(settings: Settings, log: Log, options: AppOptions = {}): Promise<App> {
  const database = await open(settings, log, options)
  try {
    return await compose(settings, log, database, options)
  } catch (error) {
    await database.close()
    throw error
  }
}

/** What is wrong with the policy file; empty when it decides. */
export const policyProblems = ({ policyFile }: Settings): readonly string[] =>
  problemsOfPolicy(readPolicySource(policyFile, DEFAULT_POLICY))

/** The drills of the configured targets, without starting anything. */
export async function listDrills(settings: Settings): Promise<readonly DrillScenario[]> {
  const integrations = await createIntegrations(settings, () => unlentDeps(now), { read: async () => [] })
  return integrations.flatMap(({ drills }) => drills?.scenarios ?? [])
}

/** The database of these settings, as it is. @throws DataDirectoryUnusable, DatabaseUnavailable */
export async function open({ dataDir, databaseUrl }: Settings, log: Log, { onLost = () => {} }: AppOptions = {}): Promise<OpenDatabase> {
  return await openDatabase({ dataDir, databaseUrl: databaseUrl ?? undefined, now, log, onLost: (error) => onLost(error.message) })
}

async function compose(settings: Settings, log: Log, database: OpenDatabase, options: AppOptions): Promise<App> {
  const { inspect = false, role = 'all', live = createLiveSecrets(settings, now) } = options
  const [parts, isHost] = [partsOf(role), role === 'all' && !inspect]
  if (isHost) await migrateToLatest(database.db)
  const page: Page = async (words, incidentId = null) =>
    void (await stores.outbox.enqueue(database.db, pageNotice(words, now(), incidentId)))
  const onDeadJob: StoresDeps['onDeadJob'] = (job, error) => deadJobs(job, error)
  const stores = createStores({ database, now, retention: settings.retention, log, workerId: randomUUID(), onDeadJob })
  const integrations = await createIntegrations(settings, (id) => integrationDeps(id, stores, { now, log }), stores.toldChanges)
  const namedPeople = mayUseNames(settings, integrations)
  const policy = createPolicyInForce({ source: readPolicySource(settings.policyFile, DEFAULT_POLICY), store: stores.policies })
  if (isHost) await takeTheHostsWord({ ...stores, policy, rows: peopleRows(settings.people, namedPeople), log })
  const { trace, ...traces } = await openTrace(inspect ? null : settings.traces, { version: VERSION, role })
  const models = await createModels(parts.agent ? settings.models.providers.map(keyed(live)) : [])
  const { agent, drills } = assembleAgent({
    ...{ ...stores, integrations, formats: WEBHOOKS, policy, card: PLAN_CARD },
    journal: await openEffectJournal(settings.dataDir),
    presentations: alsoOnSlack(settings, consolePresentations(settings), stores.meta),
    model: createModelHelp(models, settings.models.budget, stores.modelRuns, settings.models),
    ...{ runs: stores.drillRuns, lease: stores.leaseOf('executor'), watchLease: stores.leaseOf('detection'), queue: stores.work },
    heartbeats: { ...settings.heartbeats, meta: stores.meta, call, lease: stores.leaseOf('heartbeat') },
    crashpoint: createCrashpoint(settings.crash, () => process.kill(process.pid, 'SIGKILL')),
    ...{ workspaces: settings.workspaces, slos: settings.slos, parts, page, trace, now, log },
  })
  const chat = parts.edge && !inspect ? await openSlack(settings, { ...stores, agent, database, page, now, log }) : NO_CHAT
  const deadJobs = createDeadJobs({ page, inbox: stores.inbox, chats: chat.chats, log })
  const edge = createEdge({
    ...{ settings, version: VERSION, live, trace, agent, integrations, hub: createEventHub(), namedPeople },
    // Looking changes nothing, and makes nothing either: nobody calls what is not started.
    hostSecret: inspect ? randomUUID() : openHostSecret(settings.dataDir),
    backUp: async () =>
      await spool(settings.dataDir, async (path) => await writeBackup(database, path, { product: VERSION, takenAt: now() })),
    exportAudit: async (since) =>
      await spool(settings.dataDir, async (path) => await writeAuditExport(database, path, auditExport(settings, since))),
    ...{ ...stores, notices: stores.outbox, jobs: stores.queue, ...chat, render: renderPlain },
    ...{ ...webhookSources(WEBHOOKS, stores.inbox), pages: consoleRoutes(), isAway: isDatabaseAway, now, log },
    notReady: async () => (lifecycle.isStarted() ? agent.unstorable() : 'It is still starting.'),
  })
  const readRunbooks = async (): Promise<void> => await loadRunbooks(readRunbookFolders(settings.runbooks), { ...stores, log })
  const started = startedIn(parts, { edge, ...chat, queue: stores.queue, loadRunbooks: readRunbooks })
  const lifecycle = createLifecycle({ ...started, integrations, agent, drills, stores, traces, database })
  return { ...lifecycle, agent, integrations, page, givenUp: stores.givenUp }
}

/** Whether the configured chats can be posted to, and what to mend where they cannot. */
export const examineChats = async ({ slack, workspaces }: Settings, log: Log) => await examineSlack(slack, workspaces, log)

/** A runbook as it is read at a start, with what of it is not. */
export const examineRunbook = readRunbook

/** What an export of the audit log is made with. @throws ConfigError when the key is none */
export function auditExport(settings: Settings, since: number): ExportOptions {
  return { since, key: openAuditKey(settings), product: VERSION, exportedAt: now() }
}
