import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

const matcherSchema = z.strictObject({
  name: z.string().min(1),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
})
const silenceSchema = z.strictObject({
  id: z.string().optional(),
  matchers: z.array(matcherSchema).min(1),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  createdBy: z.string().min(1),
  comment: z.string().min(1),
})
type Silence = z.infer<typeof silenceSchema> & { id: string }
type Labels = Record<string, string>

/** What becomes of the next change: done and answered, done without an answer, done twice, not done, or refused. */
export type Fate = 'answered' | 'reply-lost' | 'doubled' | 'lost' | 'forbidden' | 'broken'

export interface AlertmanagerServer {
  url: string
  fire(labels: Labels): Promise<void>
  resolve(labels: Labels): Promise<void>
  /** How often a change was carried out. */
  changes(): number
  next(fate: Fate): void
  stop(): void
}

/**
 * Version 2 of Alertmanager's API, alerts and silences, as its OpenAPI description says; the suite that runs against this runs against a real one in
 * the live lane. A silence whose beginning is past begins now, one that ends in the past is refused, and deleting one ends it.
 */
export async function startAlertmanagerServer(): Promise<AlertmanagerServer> {
  const alerts = new Map<string, Labels>()
  const silences = new Map<string, Silence>()
  let [fate, changes]: [Fate, number] = ['answered', 0]
  const state = ({ startsAt, endsAt }: Silence): string =>
    Date.parse(endsAt) <= Date.now() ? 'expired' : Date.parse(startsAt) > Date.now() ? 'pending' : 'active'
  const silencing = (labels: Labels): string[] =>
    [...silences.values()]
      .filter((each) => state(each) === 'active' && each.matchers.every((matcher) => holds(matcher, labels)))
      .map(({ id }) => id)
  const change = (method: string, path: string, body: unknown): { status: number; body: unknown } => {
    const id = /^\/api\/v2\/silence\/([^/]+)$/.exec(path)?.[1]
    const ended = silences.get(id ?? '')
    if (method === 'DELETE' && ended && state(ended) !== 'expired') {
      changes += 1
      silences.set(ended.id, { ...ended, endsAt: new Date().toISOString() })
      return { status: 200, body: null }
    }
    if (method === 'DELETE') return { status: ended ? 500 : 404, body: ended ? `silence ${id} already expired` : `silence ${id} not found` }
    const asked = silenceSchema.safeParse(body)
    if (!asked.success) return { status: 422, body: { code: 602, message: asked.error.issues[0]?.message } }
    if (Date.parse(asked.data.endsAt) <= Date.now()) return { status: 400, body: "failed to create silence: end time can't be in the past" }
    changes += 1
    const startsAt = new Date(Math.max(Date.now(), Date.parse(asked.data.startsAt))).toISOString()
    const made = { ...asked.data, startsAt, id: randomUUID() }
    silences.set(made.id, made)
    return { status: 200, body: { silenceID: made.id } }
  }
  const read = (path: string): { status: number; body: unknown } => {
    if (path === '/api/v2/status') return { status: 200, body: { versionInfo: { version: '0.28.0' }, uptime: '2026-01-01T00:00:00Z' } }
    if (path === '/api/v2/alerts') return { status: 200, body: [...alerts.values()].map((labels) => alertOf(labels, silencing(labels))) }
    if (path !== '/api/v2/silences') return { status: 404, body: { code: 404, message: `path ${path} was not found` } }
    return {
      status: 200,
      body: [...silences.values()].map((each) => ({ ...each, status: { state: state(each) }, updatedAt: each.startsAt })),
    }
  }
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://127.0.0.1')
    const [method, sent] = [request.method ?? '', await bodyOf(request)]
    const now = method === 'GET' ? 'answered' : fate
    if (method !== 'GET') fate = 'answered'
    const refusal = REFUSALS[now]
    const isCarriedOut = now !== 'lost' && refusal === undefined
    const answer =
      method === 'GET' ? read(pathname) : isCarriedOut ? change(method, pathname, sent) : (refusal ?? { status: 0, body: null })
    if (now === 'doubled') change(method, pathname, sent)
    if (now === 'lost' || now === 'reply-lost') {
      request.socket.destroy()
      return
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body === null ? '' : JSON.stringify(answer.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fire: async (labels) => void alerts.set(JSON.stringify(labels), labels),
    resolve: async (labels) => void alerts.delete(JSON.stringify(labels)),
    changes: () => changes,
    next: (wanted) => {
      fate = wanted
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const REFUSALS: Partial<Record<Fate, { status: number; body: unknown }>> = {
  forbidden: { status: 403, body: 'not allowed to make silences' },
  broken: { status: 503, body: 'overloaded' },
}

function holds({ name, value, isRegex, isEqual }: z.infer<typeof matcherSchema>, labels: Labels): boolean {
  const matches = isRegex ? new RegExp(`^(?:${value})$`).test(labels[name] ?? '') : (labels[name] ?? '') === value
  return matches === isEqual
}

function alertOf(labels: Labels, silencedBy: readonly string[]): object {
  return {
    ...{ labels, annotations: {}, receivers: [{ name: 'default' }], fingerprint: 'f00d', generatorURL: '' },
    ...{ startsAt: '2026-01-01T00:00:00Z', endsAt: '2030-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' },
    status: { state: silencedBy.length > 0 ? 'suppressed' : 'active', silencedBy, inhibitedBy: [], mutedBy: [] },
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text === '' ? null : JSON.parse(text)
}
