import type { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import type { Principal } from '../../agent/domain/principal.ts'
import { channelOf, type Located, type Workspace as Team } from '../../agent/domain/workspace.ts'
import type { ApprovalKernel, PeopleStore, Presentation } from '../../agent/ports.ts'
import type { CheckResult } from '../../integrations/contract.ts'
import type { Endpoint } from '../api/endpoint.ts'
import { createPngs } from '../charts/png.ts'
import { chartSvg } from '../charts/svg.ts'
import type { Page } from '../page-notice.ts'
import type { Surface } from '../surface.ts'
import { createAnswers } from './answers.ts'
import { createAssistant } from './assistant.ts'
import { createCardLinks } from './card-links.ts'
import { createClicks } from './clicks.ts'
import { createDeliverer } from './deliverer.ts'
import { createDrawing, type Drawing, type Drawn } from './drawing.ts'
import { slackEndpoints } from './endpoint.ts'
import { createHome } from './home.ts'
import { createInlet, type InletDeps } from './inlet.ts'
import { PACE, type Pace } from './pace.ts'
import { assistantSchema, clickSchema, commandSchema, formSchema, homeSchema, messageSchema, shortcutSchema } from './payloads.ts'
import { createSlackPeople } from './people.ts'
import type { PostingRows, StoredPosting } from './postings.ts'
import { createPrivateWords } from './private-words.ts'
import { type SlackConnection, type SlackSettings, slackConnection } from './settings.ts'
import { createShortcuts } from './shortcuts.ts'
import { checkSlack } from './start-check.ts'
import { createSlackSurface, PRIORITY } from './surface.ts'
import { createTalk } from './talk.ts'
import { createVotes } from './votes.ts'
import { createWork, type Work, type WorkDeps } from './work.ts'
import { SLACK_WORK } from './work-kinds.ts'
import { createWorkspace, readWorkspace, type WorkspaceDeps } from './workspace.ts'

export interface SlackDeps {
  connection: SlackConnection
  agent: Agent
  /** None: everything is shown in the one channel. */
  workspaces: readonly Team[]
  people: Pick<PeopleStore, 'accounts'>
  approvals: Pick<ApprovalKernel, 'votedBy'>
  postings: PostingRows
  inbox: InletDeps['inbox'] & WorkDeps['inbox']
  meta: WorkspaceDeps['meta']
  queue: {
    handle(
      kind: string,
      handler: (payload: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
      options?: { concurrency?: number },
    ): void
  }
  page: Page
  /** No other process has this database. */
  alone: boolean
  /** Where people reach the console; null when only this machine can. */
  consoleUrl: string | null
  pace?: Pace
  now: () => Date
  log: {
    info(object: object, message: string): void
    warn(object: object, message: string): void
    error(object: object, message: string): void
  }
}

/** Slack, whole: what it is told, what it tells, and what shows it. */
export interface Slack {
  surface: Surface
  endpoints: Endpoint[]
  /** Tells whoever did what was given up after the last attempt. */
  gaveUp: Work['gaveUp']
  start(): Promise<void>
  stop(): Promise<void>
}

/** Of each kind of work at once. */
const CONCURRENCY = 8
/** How often a card that waits is drawn again: the time that is left stands on it. */
const REDRAW_MS = 60_000
const MOST_WAITING = 50
const FIRST_ANSWER_MS = 5_000
const MOST_ISSUES = 10

/** Loads Slack's own packages: only for who has set it up. */
export async function createSlack(deps: SlackDeps): Promise<Slack> {
  const { connection, agent, postings, now, log, consoleUrl } = deps
  const { createBolt, createSlackWeb, createSocket } = await import('./bolt.ts')
  const { botToken, apiUrl, appToken, signingSecret, appId, channel } = connection
  const web = createSlackWeb({ token: botToken, apiUrl, log })
  const channels = homesOf(connection, deps.workspaces)
  const workspace = createWorkspace({ web, meta: deps.meta })
  const here = async () => (await workspace.known()) ?? (await workspace.ask())
  const people = createSlackPeople({ web, agent, workspace: here, now })
  const drawPng = createPngs()
  const cardLink = createCardLinks({ postings, web, now, log })
  const accountsOf = async (wanted: readonly Pick<Principal, 'id'>[]): Promise<string[]> => {
    const ids = new Set(wanted.map(({ id }) => id))
    const accounts = await deps.people.accounts('slack', (await here()).teamId)
    return accounts.filter(({ principalId }) => ids.has(principalId)).map(({ externalId }) => externalId)
  }
  const drawingFor = (seen: Agent): Drawing =>
    createDrawing({
      agent: seen,
      accountsOf,
      cardLink,
      drawPng: async (chart) => Buffer.from((await drawPng(chartSvg(chart))).body),
      consoleUrl,
      now,
    })
  /** Everybody reads along in a channel, so nothing is drawn there that not everybody may read. An answer was made for who reads it where it is. */
  const draw = async (posting: StoredPosting): Promise<Drawn | null> => {
    const seen = agent.seenIn(posting.place)
    if (!isAnswer(posting) && !(await isForPlace(posting, seen))) return null
    return await drawingFor(seen)(posting)
  }
  const deliverer = createDeliverer({
    ...deps,
    web,
    homes: new Set(channels),
    draw,
    home: async (posting) => await homeOf(posting, deps),
    follow: createFollowing(deps),
  })
  const words = createPrivateWords({ web, log })
  const assistant = createAssistant({ agent, web, people, words, log })
  const answers = createAnswers({ postings, deliverer, slowMs: (deps.pace ?? PACE).slowMs, log })
  const talk = createTalk({ looking: assistant.looking, agent, people, words, postings, answers, workspace: here, consoleUrl, now })
  const clicks = createClicks({ log, agent, web, people, postings, votes: createVotes({ agent, postings }), talk, words })
  const shortcut = createShortcuts({ agent, web, people, words, talk })
  const home = createHome({ agent, web, people, consoleUrl, now })
  const reading = createReading(log)
  const bolt = createBolt({
    botToken,
    apiUrl,
    identity: here,
    log,
    listeners: {
      click: reading('click', clickSchema, clicks.pressed),
      form: reading('form', formSchema, clicks.sent),
      command: reading('command', commandSchema, talk.command),
      shortcut: reading('shortcut', shortcutSchema, shortcut),
      async event(type, body) {
        if (type === 'app_home_opened') await reading('home', homeSchema, home)(body)
        else if (type.startsWith('assistant_thread_')) await reading('assistant', assistantSchema, assistant.opened)(body)
        else if (type === 'app_mention' || type === 'message') await reading('message', messageSchema, talk.message)(body)
      },
    },
  })
  const inlet = createInlet({ inbox: deps.inbox, appId })
  const socket = appToken === null ? null : createSocket({ appToken, apiUrl, take: inlet.take, page: deps.page, log })
  const work = createWork({ inbox: deps.inbox, handle: bolt.handle, words, answers, now, log })
  for (const kind of SLACK_WORK) deps.queue.handle(kind, work.run, { concurrency: CONCURRENCY })
  const surface = createSlackSurface({
    postings,
    deliverer,
    agent,
    votedBy: deps.approvals.votedBy,
    accountsOf: async (person) => ((await workspace.known()) === null ? [] : await accountsOf([{ id: person }])),
    channel,
  })
  const redraw = async (): Promise<void> => {
    // Asked once; where Slack was away at the start, until it answers.
    await workspace.ask()
    const { items } = await agent.approvals({ state: 'pending', limit: MOST_WAITING })
    for (const approval of items) await surface.refreshApproval(approval.id, async () => approval)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    surface,
    endpoints: signingSecret === null ? [] : slackEndpoints({ secret: signingSecret, inlet, now, log }),
    gaveUp: work.gaveUp,
    async start() {
      // The connection itself says whether Slack has a way in.
      const check = async () => await checkSlack({ ...connection, channels }, { ...web, openSocket: null })
      const known = introduce(workspace.ask, check, log)
      // The first plan is shown on Slack as well, when Slack is there; when it is not, nothing waits for it.
      await Promise.race([known, new Promise((resolve) => setTimeout(resolve, FIRST_ANSWER_MS).unref())])
      await deliverer.start()
      socket?.start()
      timer = setInterval(() => void redraw().catch((error: unknown) => log.warn({ err: error }, 'cards could not be redrawn')), REDRAW_MS)
    },
    async stop() {
      clearInterval(timer)
      await Promise.all([socket?.stop(), deliverer.stop()])
    },
  }
}

/** The chat of a process that has none. */
export const NO_CHAT: OpenChat = { surfaces: [], chatEndpoints: [], chats: [] }

/** What the edge and the lifecycle of a process get of a chat. */
export interface OpenChat {
  surfaces: readonly Surface[]
  chatEndpoints: readonly Endpoint[]
  chats: readonly Pick<Slack, 'start' | 'stop' | 'gaveUp'>[]
}

/** Slack as the settings have it; nothing of it is loaded where it is not set up. */
export async function openSlack(
  settings: { slack: SlackSettings; publicUrl: string | null; workspaces: readonly Team[] },
  deps: Omit<SlackDeps, 'connection' | 'consoleUrl' | 'alone' | 'queue' | 'workspaces'> & {
    database: { kind: 'pglite' | 'postgres' }
    work: SlackDeps['queue']
  },
): Promise<OpenChat> {
  const connection = slackConnection(settings.slack)
  if (connection === null) return NO_CHAT
  const alone = deps.database.kind === 'pglite'
  const { publicUrl: consoleUrl, workspaces } = settings
  const slack = await createSlack({ ...deps, connection, workspaces, queue: deps.work, alone, consoleUrl })
  return { surfaces: [slack.surface], chatEndpoints: slack.endpoints, chats: [slack] }
}

/** For `doctor`: without a database, and without anything started. */
export async function examineSlack(settings: SlackSettings, workspaces: readonly Team[], log: SlackDeps['log']): Promise<CheckResult[]> {
  const connection = slackConnection(settings)
  if (connection === null) return []
  const { createSlackWeb, socketCheck } = await import('./bolt.ts')
  const { botToken, appToken, apiUrl } = connection
  const openSocket = appToken === null ? null : socketCheck({ appToken, apiUrl, log })
  const channels = homesOf(connection, workspaces)
  return await checkSlack({ ...connection, channels }, { ...createSlackWeb({ token: botToken, apiUrl, log }), openSocket })
}

/** Where requests are shown: on Slack as well, once it is known which workspace that is. A click counts from there only. */
export function alsoOnSlack(
  { slack, workspaces }: { slack: SlackSettings; workspaces: readonly Team[] },
  elsewhere: readonly Presentation[],
  meta: Pick<WorkspaceDeps['meta'], 'get'>,
): (incident: Located) => Promise<Presentation[]> {
  const connection = slackConnection(slack)
  return async (incident) => {
    const workspace = connection === null ? null : await readWorkspace(meta)
    const place = connection && channelOf(workspaces, incident, connection.channel)
    if (place === null || workspace === null) return [...elsewhere]
    return [...elsewhere, { surface: 'slack', tenant: workspace.teamId, place }]
  }
}

/** Says in the log what is not in order; nothing is kept from starting by it. */
async function introduce(ask: () => Promise<unknown>, check: () => Promise<CheckResult[]>, log: SlackDeps['log']): Promise<void> {
  try {
    await ask()
    for (const { name, status, words, fix } of await check()) if (status !== 'ok') log.error({ fix }, `${name}: ${words}`)
  } catch (error) {
    log.error({ err: error }, 'Slack cannot be reached; what should be posted waits')
  }
}

/** Where incidents are shown. */
function homesOf({ channel }: Pick<SlackConnection, 'channel'>, workspaces: readonly Team[]): string[] {
  return [...new Set([channel, ...workspaces.flatMap((each) => each.channels.slice(0, 1))])]
}

const MADE_FOR_READER: readonly string[] = ['answer', 'file', 'picture', 'vote']

/** Made for whoever reads it in that place: what somebody asked for, and what was done in their name. */
function isAnswer({ kind }: StoredPosting): boolean {
  return MADE_FOR_READER.includes(kind)
}

/** Whether everybody may read it who reads along where it is shown. Of a notice about no incident that was asked when it was said. */
async function isForPlace({ kind, incidentId, place }: StoredPosting, seen: Agent): Promise<boolean> {
  if (incidentId !== null) return seen.sight.everything || (await seen.sight.sees(incidentId))
  return kind !== 'page' || (await seen.channelFor('installation', place)) !== null
}

/**
 * An answer belongs where somebody asked for it; below a card it goes with the card, where every channel sees the same. Other words about no incident
 * stay where they were said, once channels are of teams.
 */
async function homeOf(posting: StoredPosting, { agent, workspaces, connection: { channel } }: SlackDeps): Promise<string | null> {
  const { incidentId, kind } = posting
  if (isAnswer(posting)) return incidentId === null || workspaces.length > 0 ? null : channel
  if (incidentId !== null) return await agent.channelFor({ incident: incidentId }, channel)
  if (kind === 'page') return await agent.channelFor('installation', channel)
  return workspaces.length > 0 ? null : channel
}

/** What is shown beside a card, once each. */
function createFollowing({ postings, connection }: SlackDeps): (kind: 'chart' | 'ended', incidentId: string) => Promise<void> {
  return async (kind, incidentId) => {
    if ((await postings.find('slack', kind, incidentId)) !== null) return
    const place = (await postings.find('slack', 'incident', incidentId))?.place ?? connection.channel
    await postings.draw('slack', { kind, ref: incidentId, incidentId, priority: PRIORITY[kind], place })
  }
}

type Reading = <T>(kind: string, schema: z.ZodType<T>, act: (read: T) => Promise<void>) => (body: unknown) => Promise<void>

/** What has not the shape that Slack documents is left alone: there is nothing in it to act on, and nobody to tell. The log has where, never what. */
function createReading(log: Pick<SlackDeps['log'], 'warn'>): Reading {
  return (kind, schema, act) => async (body) => {
    const parsed = schema.safeParse(body)
    if (parsed.success) return await act(parsed.data)
    const paths = parsed.error.issues.slice(0, MOST_ISSUES).map(({ path }) => path.join('.'))
    log.warn({ kind, paths }, 'what Slack sent has another shape than it should')
  }
}
