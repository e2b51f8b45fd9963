import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { runSchema } from '../../../bot/api/drills.ts'
import type { approvalSchema, incidentSchema } from '../../../bot/api/shapes.ts'
import type { Answer, Client } from '../edge/client.ts'
import { until } from './until.ts'

export type WireRun = z.infer<typeof runSchema>
export type WireApproval = z.infer<typeof approvalSchema>
export type WireIncident = z.infer<typeof incidentSchema>

/** On a busy machine everything takes longer: these say when something does not come at all. */
const WHOLE_WITHIN_SECONDS = 60
const CARD_WITHIN_SECONDS = 90
const STATE_WITHIN_SECONDS = 120

/** Breaks the shop, once it answers. @returns the id of the run */
export async function startDrill(client: Client, name: string): Promise<string> {
  await until('the services of the shop answer', async () => await isWhole(client), WHOLE_WITHIN_SECONDS)
  const { status, json, text } = await client.post('/api/v1/drills', { name })
  if (status !== 202) throw new Error(`the drill ${name} did not start: ${status} ${text}`)
  return json.run
}

async function isWhole(client: Client): Promise<boolean> {
  const services: { readyReplicas: number; desiredReplicas: number }[] = (await client.get('/api/v1/services')).json.items
  return services.length > 0 && services.every(({ readyReplicas, desiredReplicas }) => readyReplicas >= desiredReplicas)
}

export async function readRun(client: Client, run: string): Promise<WireRun> {
  return (await client.get(`/api/v1/drills/${run}`)).json
}

export async function readIncident(client: Client, id: string): Promise<WireIncident> {
  return (await client.get(`/api/v1/incidents/${id}`)).json
}

export async function readApproval(client: Client, id: string): Promise<WireApproval> {
  return (await client.get(`/api/v1/approvals/${id}`)).json
}

/** The first request of a run that asks. */
export async function askedBy(client: Client, run: string): Promise<WireApproval> {
  return await until(
    'an approval is asked for',
    async () => {
      const { state, approvals, words } = await readRun(client, run)
      if (state !== 'running') throw new Error(`the drill ended before anything was asked: ${words}`)
      const all = await Promise.all(approvals.map((id) => readApproval(client, id)))
      return all.find((approval) => approval.state === 'pending') ?? null
    },
    CARD_WITHIN_SECONDS,
  )
}

/** A click: exactly this plan, once, unless it bears the key of another click. */
export async function vote(client: Client, { id, digest, confirm }: WireApproval, key: string = randomUUID()): Promise<Answer> {
  return await client.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest, confirm }, { 'idempotency-key': key })
}

/** The approval once `holds` is true of it. */
export async function approvalThat(
  client: Client,
  id: string,
  what: string,
  holds: (approval: WireApproval) => boolean,
): Promise<WireApproval> {
  let last = ''
  return await until(
    `the approval ${what}`,
    async () => {
      const approval = await readApproval(client, id)
      last = `It is ${approval.state}, its execution ${JSON.stringify(approval.execution)}.`
      return holds(approval) && approval
    },
    STATE_WITHIN_SECONDS,
    () => last,
  )
}

export async function runEnded(client: Client, run: string): Promise<WireRun> {
  return await until(
    'the drill has ended',
    async () => {
      const seen = await readRun(client, run)
      return seen.state !== 'running' && seen
    },
    STATE_WITHIN_SECONDS,
  )
}

/** All words on the card of an approval, as a reader meets them. */
export function cardWords(incident: Pick<WireIncident, 'cards'>, approval: string): string {
  const card = incident.cards.find(({ kind, ref }) => kind === 'approval' && ref === approval)
  return `${card?.text ?? ''}\n${JSON.stringify(card?.blocks ?? [])}`
}

/** What `audit verify` finds; empty when everything is as it should be. */
export async function auditViolations(client: Client): Promise<string[]> {
  const { status, json, text } = await client.get('/api/v1/audit/verify')
  if (status !== 200 || json.entries < 1) return [`the audit could not be verified: ${status} ${text}`]
  return json.ok ? [] : json.violations
}
