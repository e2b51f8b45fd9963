import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { openApiDocument } from '../openapi.ts'
import { HttpProblem } from '../problem.ts'
import type { SelfMetrics } from '../self-metrics.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { timeSchema } from './shapes.ts'

export interface SystemApiDeps {
  version: string
  agent: Pick<Agent, 'mode'>
  metrics: Pick<SelfMetrics, 'text' | 'contentType'>
  /** Whether anybody who reaches the port may read why Steadyhand only observes: where no token is asked for, and everybody sees everything. */
  tellsReasons: boolean
  /** Resolves to what keeps alerts from being taken now; null when nothing does. */
  notReady(): Promise<string | null>
  /** Every endpoint there is, for the description of the interface. */
  all(): readonly Endpoint[]
}

/** What the command line looks for on a port, to know that it talks to its own kind. */
export const PRODUCT = 'steadyhand'

export const healthSchema = z.object({ status: z.literal('ok'), product: z.literal(PRODUCT), version: z.string() })
export const modeSchema = z.object({ mode: z.enum(['act', 'observe']), reasons: z.array(z.string()) })
/** Who stopped what, and who has said start since: with the second person's word it starts. */
const stopSchema = z.object({ scope: z.string(), by: z.string(), at: timeSchema, startVotes: z.array(z.string()) })
const readySchema = modeSchema.extend({ status: z.literal('ready') })

export function systemEndpoints({ version, agent, metrics, tellsReasons, notReady, all }: SystemApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/healthz',
      name: 'health',
      summary: 'Whether the process is alive.',
      access: 'open',
      answers: { 200: { words: 'Alive.', schema: healthSchema } },
      handle: async () => ({ body: { status: 'ok', product: PRODUCT, version } }),
    }),
    endpoint({
      method: 'get',
      path: '/readyz',
      name: 'ready',
      summary: 'Whether alerts can be taken now, and whether approved actions would run.',
      access: 'open',
      answers: { 200: { words: 'Ready.', schema: readySchema } },
      problems: ['unavailable'],
      async handle() {
        const reason = await notReady()
        if (reason !== null) throw new HttpProblem('unavailable', reason)
        const { mode, reasons } = await showMode(agent)
        return { body: { status: 'ready', mode, reasons: tellsReasons ? reasons : [] } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/metrics',
      name: 'metrics',
      summary: 'Figures of the process itself, for Prometheus.',
      access: 'caller',
      answers: { 200: { words: 'Prometheus text.', schema: null, type: 'text/plain' } },
      handle: async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } }),
    }),
    endpoint({
      method: 'get',
      path: '/api/openapi.json',
      name: 'describe',
      summary: 'This description.',
      access: 'open',
      answers: { 200: { words: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) } },
      handle: async () => ({ body: openApiDocument(all(), version) }),
    }),
  ]
}

export function modeEndpoints({ agent }: { agent: Pick<Agent, 'mode' | 'control'> }): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/mode',
      name: 'getMode',
      summary: 'Whether approved actions would run now, and if not why.',
      access: 'caller',
      answers: { 200: { words: 'The mode.', schema: modeSchema.extend({ stops: z.array(stopSchema) }) } },
      async handle() {
        const [mode, stops] = await Promise.all([showMode(agent), agent.control.stopped()])
        return { body: { ...mode, stops: stops.map((stop) => ({ ...stop, at: stop.at.toISOString() })) } }
      },
    }),
  ]
}

export async function showMode(agent: Pick<Agent, 'mode'>): Promise<z.infer<typeof modeSchema>> {
  const mode = await agent.mode()
  return { mode: mode.mode, reasons: mode.mode === 'observe' ? mode.reasons : [] }
}
