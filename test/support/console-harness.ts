import { createHash } from 'node:crypto'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { IncidentView } from '../../agent/agent.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import { Refusal, type RefusalCode } from '../../agent/domain/refusal.ts'
import { showApproval, showIncident, showIncidentSummary } from '../../bot/api/shapes.ts'
import { consoleRoutes } from '../../bot/console/routes.ts'
import { approvalCard } from '../../bot/messages/approval-card.ts'
import { type Card, text } from '../../bot/messages/card.ts'
import { incidentCard } from '../../bot/messages/incident-card.ts'
import { bold, say } from '../../bot/messages/span.ts'
import { problemOf, problemResponse } from '../../bot/problem.ts'
import { renderBlocks } from '../../bot/slack/render.ts'
import { nameOf } from './builders.ts'

const ROLES: Readonly<Record<string, string>> = { alice: 'approver', bob: 'viewer', carol: 'approver' }
const people = Object.entries(ROLES).map(([id, role]) => ({ id, name: nameOf(id), roles: [role] }))

/** What the pages are shown; tests change it and say that it changed. */
export interface Scene {
  views: IncidentView[]
  mode: { mode: 'act' | 'observe'; reasons: string[]; stops?: { scope: string; by: string; at: string; startVotes: string[] }[] }
  now: Date
  /** The drill under way. */
  running?: object
  /** What every vote is answered with, instead of what the person's role says. */
  refuse: RefusalCode | null
  report: { ok: boolean; violations: string[]; entries: number; head: string }
}

/** A call that the pages made. */
export interface Call {
  method: string
  path: string
  body: unknown
}

export interface Harness {
  url: string
  scene: Scene
  calls: Call[]
  /** Tells the open pages. */
  tell(event: { type: string; incidentId?: string; requestId?: string }): void
  /** Ends the open streams; browsers connect again by themselves. */
  breakStreams(): void
  close(): Promise<void>
}

interface Stream {
  send(text: string): void
  end(): void
}

/** The real pages over canned answers: the real cards and the shapes of the real interface, without a database or an agent. */
export async function startConsole(scene: Scene): Promise<Harness> {
  const calls: Call[] = []
  const streams = new Set<Stream>()
  const app = new Hono()
  let url = ''
  const cards = (view: IncidentView): Card[] => {
    const context = { now: scene.now, consoleUrl: url }
    const requests = view.approvals.map((approval) =>
      approvalCard(approval, { ...context, whoMay: ['alice', 'carol'], names: nameOf, trackRecord: null }),
    )
    return [incidentCard(view, context), ...requests]
  }
  const shown = (view: IncidentView) => {
    const rendered = cards(view).map((card) => ({
      kind: card.kind === 'incident' ? ('incident' as const) : ('approval' as const),
      ref: card.ref,
      ...asJson(renderBlocks(card)),
    }))
    const note = renderBlocks(answerOf(text(say`Evidence is in: 4 of 5 questions had an answer. See the card.`)))
    const thread = [{ kind: 'notice', ref: 'n1', ...asJson(note), at: scene.now }]
    return showIncident(view, rendered, thread)
  }
  const approvals = (): Approval[] => scene.views.flatMap((view) => view.approvals)
  const body = async (context: Context): Promise<Record<string, unknown>> => {
    const read: unknown = await context.req.json().catch(() => null)
    calls.push({ method: context.req.method, path: context.req.path, body: read })
    return typeof read === 'object' && read !== null ? { ...read } : {}
  }

  app.onError((error) =>
    problemResponse(problemOf(error) ?? { type: 'x', title: String(error), status: 500, detail: '', code: 'internal' }),
  )
  app.get('/api/v1/mode', (context) => context.json({ stops: [], ...scene.mode }))
  app.get('/api/v1/people', (context) => context.json({ items: people, next: null }))
  app.get('/api/v1/sign-in', (context) => context.json({ way: 'name' }))
  app.get('/api/v1/session', (context) => {
    const me = getCookie(context, 'person')
    return me ? context.json({ person: person(me) }) : context.json({ title: 'Nobody is signed in.', code: 'no-person' }, 401)
  })
  app.post('/api/v1/session', async (context) => {
    const id = String((await body(context))['person'])
    setCookie(context, 'person', id, { httpOnly: true, sameSite: 'Strict' })
    return context.json({ person: person(id) })
  })
  app.delete('/api/v1/session', (context) => {
    deleteCookie(context, 'person')
    return context.body(null, 204)
  })
  app.get('/api/v1/incidents', (context) =>
    context.json({
      items: scene.views
        .map(({ incident }) => showIncidentSummary(incident))
        .filter(({ endedAt }) => context.req.query('state') !== 'active' || endedAt === null),
      next: null,
    }),
  )
  app.get('/api/v1/incidents/:id', (context) => {
    const view = scene.views.find(({ incident }) => incident.id === context.req.param('id'))
    return view ? context.json(shown(view)) : context.json({ title: 'There is no such incident.', code: 'unknown-incident' }, 404)
  })
  app.get('/api/v1/incidents/:id/evidence/:label', (context) => {
    const view = scene.views.find(({ incident }) => incident.id === context.req.param('id'))
    const patterns = [{ count: 19, sample: `stored line of ${view?.incident.title}`, last: scene.now }]
    return context.json({ label: context.req.param('label'), content: { patterns } })
  })
  app.get('/api/v1/approvals', (context) => {
    const { state, incident } = context.req.query()
    const wanted = scene.views.filter((view) => incident === undefined || view.incident.id === incident).flatMap((view) => view.approvals)
    return context.json({ items: wanted.map(showApproval).filter((item) => state === undefined || item.state === state), next: null })
  })
  app.post('/api/v1/approvals/:id/:call', async (context) => {
    const given = await body(context)
    const approval = approvals().find(({ id }) => id === context.req.param('id'))
    const me = getCookie(context, 'person')
    if (!approval) throw new Refusal('unknown-approval')
    if (!me) return context.json({ title: 'This call needs a person who is signed in.', code: 'no-person' }, 401)
    if (scene.refuse) throw new Refusal(scene.refuse)
    if (ROLES[me] !== 'approver') throw new Refusal('not-authorised', 'Who may: Alice, Carol.')
    if (given['digest'] !== undefined && given['digest'] !== approval.digest) throw new Refusal('stale-digest')
    const { confirm } = approval.plan.approval
    if (given['decision'] === 'approve' && confirm !== null && given['confirm'] !== confirm) throw new Refusal('step-up-required')
    return context.json(showApproval(approval))
  })
  app.post('/api/v1/commands', async (context) => {
    const words = String((await body(context))['text'])
    const card =
      words === 'stop'
        ? answerOf(text(say`${bold('Stopped')}: nothing runs any more. Two people can start it again with start.`))
        : answerOf(text(say`You said: ${words}`))
    if (words === 'stop') scene.mode = stoppedBy(getCookie(context, 'person') ?? 'nobody', [])
    if (words === 'start') scene.mode = startedBy(scene.mode, getCookie(context, 'person') ?? 'nobody')
    return context.json(renderBlocks(card))
  })
  app.get('/api/v1/drills', (context) => context.json({ items: DRILLS, next: null, running: scene.running ?? null }))
  app.post('/api/v1/drills', async (context) => {
    await body(context)
    return context.json({ run: 'run-1' }, 202)
  })
  app.get('/api/v1/drills/:run', (context) =>
    context.json({
      run: 'run-1',
      name: 'bad-release',
      state: 'running',
      incident: scene.views[0]?.incident.id ?? null,
      approvals: [],
      startedAt: scene.now,
      startedBy: getCookie(context, 'person') ?? null,
      ended: null,
      words: null,
    }),
  )
  app.get('/api/v1/services', (context) => context.json(SERVICES))
  app.get('/api/v1/records', (context) => context.json(recordsOf(context.req.query('drills') === 'true')))
  app.get('/api/v1/audit', (context) => context.json({ items: entries(scene.now), next: null }))
  app.get('/api/v1/audit/verify', (context) => context.json(scene.report))
  app.get('/api/v1/events', () => {
    const encoder = new TextEncoder()
    let open: Stream | null = null
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        open = { send: (frame) => controller.enqueue(encoder.encode(frame)), end: () => controller.close() }
        streams.add(open)
        open.send('retry: 100\nevent: hello\ndata: {}\n\n')
      },
      cancel: () => {
        if (open) streams.delete(open)
      },
    })
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
  })
  app.route('/', consoleRoutes())

  return await new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      url = `http://127.0.0.1:${port}`
      resolve({
        url,
        scene,
        calls,
        tell(event) {
          for (const { send } of streams) send(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
        },
        breakStreams() {
          for (const { end } of streams) end()
          streams.clear()
        },
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      })
    })
  })
}

const DRILLS = [
  { name: 'bad-release', title: 'A release of payments that answers errors', expects: 'action' },
  { name: 'memory-leak', title: 'A leak in checkout that grows its heap', expects: 'action' },
  { name: 'blip', title: 'A blip in inventory that heals by itself', expects: 'no-action' },
  { name: 'wrong-first-guess', title: 'A first action that does not help', expects: 'undo' },
]

const SERVICES = {
  items: ['checkout', 'inventory', 'payments', 'storefront'].map((name) => ({
    name,
    environment: 'local',
    version: 'v41',
    readyReplicas: name === 'inventory' ? 0 : 1,
    desiredReplicas: 1,
  })),
  next: null,
  edges: [
    { from: 'storefront', to: 'checkout' },
    { from: 'checkout', to: 'payments' },
    { from: 'checkout', to: 'inventory' },
  ],
}

/** Nothing but drills has happened. */
function recordsOf(drills: boolean): object {
  const n = drills ? 3 : 0
  const none = { mean: null, median: null, p90: null, n: 0 }
  const times = drills ? { mean: 95, median: 80, p90: 3_700, n } : none
  return {
    isWhole: true,
    incidents: { opened: n, open: drills ? 1 : 0, bySeverity: { 1: n, 2: 0, 3: 0, 4: 0 }, merged: 0, drillsLeftOut: 3 - n },
    timeToAcknowledge: times,
    timeToResolve: times,
    approvalLatency: none,
    voters: drills ? [{ person: 'alice', name: 'Alice', votes: 3, approved: 3, atAGlance: 2, medianSeconds: 8 }] : [],
    endings: { verified: drills ? 2 : 0, healed: 0, gone: 0, person: 0 },
    requests: { asked: n, approved: n, denied: 0, expired: 0, cancelled: 0, superseded: 0, waiting: 0 },
    outcomes: { verified: drills ? 2 : 0, failed: 0, undetermined: 0, undone: drills ? 1 : 0, notRun: 0 },
    afterHours: { incidents: 0, requests: 0 },
    feedback: { right: drills ? 1 : 0, wrong: 0 },
  }
}

function entries(at: Date): object[] {
  return ['execution verified', 'execution sent', 'authorised', 'vote approve', 'plan proposed'].map((what, index) => ({
    seq: 42 - index,
    at: new Date(at.getTime() - index * 4_000),
    actor: index === 3 ? 'alice' : 'steadyhand',
    what,
    words: `recorded ${what}`,
    incident: index === 0 ? 'INC-42' : null,
    approval: null,
    body: {},
    hash: createHash('sha256').update(what).digest('hex'),
  }))
}

function person(id: string): { id: string; name: string; roles: string[] } {
  return { id, name: nameOf(id), roles: [ROLES[id] ?? 'viewer'] }
}

function answerOf(...blocks: Card['blocks']): Card {
  return { kind: 'answer', ref: '', notification: 'Answer', blocks }
}

function asJson(message: ReturnType<typeof renderBlocks>): { text: string; blocks: Record<string, unknown>[] } {
  return { text: message.text, blocks: message.blocks.map((block) => ({ ...block })) }
}

/** Everything stopped by one person at 02:10 UTC, with the words for starting that are in. */
export function stoppedBy(by: string, startVotes: string[]): Scene['mode'] {
  return {
    mode: 'observe',
    reasons: [`Stopped by ${by} at 02:10 UTC`],
    stops: [{ scope: '*', by, at: '2026-09-28T02:10:00.000Z', startVotes }],
  }
}

function startedBy(mode: Scene['mode'], person: string): Scene['mode'] {
  const votes = [...new Set([...(mode.stops?.[0]?.startVotes ?? []), person])]
  return votes.length < 2 ? stoppedBy(mode.stops?.[0]?.by ?? person, votes) : { mode: 'act', reasons: [] }
}
