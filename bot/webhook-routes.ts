import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Agent } from '../agent/agent.ts'
import type { Alert } from '../agent/domain/alert.ts'
import { NO_TRACE, type Trace } from '../agent/trace.ts'
import type { Endpoint } from './api/endpoint.ts'
import { bearerToken, isOneOf } from './bearer.ts'
import { parseJson } from './json-body.ts'
import type { Checked } from './outermost-check.ts'
import { HttpProblem } from './problem.ts'
import type { SelfMetrics } from './self-metrics.ts'
import { createTokenBucket } from './token-bucket.ts'

/** Deliveries of one source that may wait to be stored at once; the next is told to come back. */
const MOST_IN_FLIGHT = 256
/** The senders name no delivery: the same bytes again within this time, with nothing else in between, are the same one sent again. */
const REPEAT_MS = 300_000
const KEPT_HEADERS = ['content-type', 'user-agent']

/** One sender of alerts or changes. */
export interface WebhookSource {
  /** Last part of the address: /webhooks/NAME. */
  name: string
  summary: string
  /** What the body looks like, for the description of the interface. */
  shape: z.ZodType
  /** The alerts in a body, which is JSON; or why it cannot be read, in words for the sender. */
  read(body: Uint8Array): { ok: true; alerts: readonly Alert[] } | { ok: false; words: string }
}

export interface WebhookDeps {
  sources: readonly WebhookSource[]
  agent: Pick<Agent, 'receive' | 'heard'>
  /** Keeps what cannot be read, for a person to look at. */
  keepRejected(delivery: Parameters<Agent['receive']>[0], words: string): Promise<void>
  /** The newest deliveries of a source, with this body (SHA-256, hex) and with another. */
  newest(source: string, bodySha: string): Promise<{ same: { id: number; receivedAt: Date } | null; other: number | null }>
  /** Any of them will do. Empty: no token is asked for, because only this machine can reach the port. */
  tokens(): readonly string[]
  limits: { perSecond: number; burst: number }
  metrics: Pick<SelfMetrics, 'countDelivery'>
  /** Nobody is told unless given. */
  trace?: Trace
  now: () => Date
  log: { warn(object: object, message: string): void; error(object: object, message: string): void }
}

const ACCEPTED = z.object({ duplicate: z.boolean() })

/** `POST /webhooks/NAME` for every source: 202 once it is stored, and never before. */
export function webhookEndpoints(deps: WebhookDeps): Endpoint[] {
  return deps.sources.map((source) => {
    const receive = createReceiver(source, deps)
    return {
      method: 'post',
      path: `/webhooks/${source.name}`,
      name: `receive${source.name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
      summary: source.summary,
      access: 'token',
      params: z.object({}),
      query: z.object({}),
      body: source.shape,
      answers: { 202: { words: 'Stored. `duplicate` when the same delivery was stored before.', schema: ACCEPTED } },
      problems: ['no-token', 'invalid-json', 'unrecognised-payload', 'too-many-requests', 'not-durable'],
      serve: receive,
    }
  })
}

function createReceiver(source: WebhookSource, deps: WebhookDeps): (context: Context<Checked>) => Promise<Response> {
  const { tokens, metrics, now, limits } = deps
  const bucket = createTokenBucket({ ...limits, now })
  let inFlight = 0
  return async (context) => {
    const asked = tokens()
    if (asked.length > 0) checkToken(context, asked)
    const wait = inFlight >= MOST_IN_FLIGHT ? 1 : bucket.take()
    if (wait > 0) {
      metrics.countDelivery(source.name, 'limited')
      throw new HttpProblem('too-many-requests', null, { 'retry-after': String(wait) })
    }
    inFlight += 1
    try {
      return await accept(source, context, deps)
    } finally {
      inFlight -= 1
    }
  }
}

function checkToken(context: Context, tokens: readonly string[]): void {
  const given = bearerToken(context.req.header('authorization'))
  if (given === null || !isOneOf(given, tokens)) throw new HttpProblem('no-token', null, { 'www-authenticate': 'Bearer' })
}

async function accept(source: WebhookSource, context: Context<Checked>, deps: WebhookDeps): Promise<Response> {
  const body = context.get('body')
  const hash = createHash('sha256').update(body).digest('hex')
  const kept = KEPT_HEADERS.flatMap((name) => {
    const value = context.req.header(name)
    return value === undefined ? [] : [[name, value.slice(0, 500)] as const]
  })
  const delivery = { source: source.name, body, headers: Object.fromEntries(kept) }
  const delivered = readDelivery(source, body)
  if (delivered instanceof HttpProblem) {
    const problem = delivered
    await storing(source, deps, () => deps.keepRejected({ ...delivery, deliveryKey: hash }, problem.message))
    deps.metrics.countDelivery(source.name, 'rejected')
    deps.log.warn({ source: source.name, bytes: body.byteLength, words: problem.message }, 'a delivery could not be read')
    throw problem
  }
  const { duplicate } = await (deps.trace ?? NO_TRACE).span(
    'alert',
    { source: source.name },
    () => storing(source, deps, () => receiveOnce(delivery, hash, deps)),
    (stored) => ({ result: stored.duplicate ? 'duplicate' : 'accepted' }),
  )
  deps.metrics.countDelivery(source.name, duplicate ? 'duplicate' : 'accepted')
  // Also when nothing is new in it: a heartbeat says the same each time. What was stored is taken, whatever becomes of this.
  await deps.agent.heard(delivered).catch((err: unknown) => deps.log.error({ err, source: source.name }, 'a heartbeat could not be noted'))
  return new Response(JSON.stringify({ duplicate }), { status: 202, headers: { 'content-type': 'application/json' } })
}

/**
 * What says the same as the last delivery of its source is a repeat. After something else it is news: an alert that fires again after it was
 * resolved has the same bytes where the sender writes no times. Whoever decides what an alert means takes a repeat for what it is anyway.
 */
async function receiveOnce(
  delivery: { source: string; body: Uint8Array; headers: Record<string, string> },
  hash: string,
  { agent, now, newest }: WebhookDeps,
): Promise<{ duplicate: boolean }> {
  const at = now().getTime()
  const { same, other } = await newest(delivery.source, hash)
  const isLast = same !== null && (other === null || other < same.id)
  if (isLast && at - same.receivedAt.getTime() < REPEAT_MS) return { duplicate: true }
  // Deliveries at the same moment, through whichever replica, have one key.
  return await agent.receive({ ...delivery, deliveryKey: `${hash}:${other ?? 0}:${Math.floor(at / REPEAT_MS)}` })
}

function readDelivery(source: WebhookSource, body: Uint8Array): readonly Alert[] | HttpProblem {
  try {
    parseJson(body)
    const read = source.read(body)
    return read.ok ? read.alerts : new HttpProblem('unrecognised-payload', read.words)
  } catch (error) {
    if (error instanceof HttpProblem) return error
    throw error
  }
}

/** Whatever goes wrong while storing means the same to the sender: it was not taken, send it again. */
async function storing<T>(source: WebhookSource, { metrics, log }: WebhookDeps, store: () => Promise<T>): Promise<T> {
  try {
    return await store()
  } catch (cause) {
    metrics.countDelivery(source.name, 'lost')
    log.error({ err: cause, source: source.name }, 'a delivery could not be stored')
    throw new HttpProblem('not-durable', null, { 'retry-after': '5' })
  }
}
