import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { type Approval, type ApprovalState, approvalState, REQUEST_STATES } from '../../agent/domain/approval.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { personOf } from '../identity.ts'
import { demand } from '../permissions.ts'
import { HttpProblem } from '../problem.ts'
import { type Call, type Endpoint, endpoint } from './endpoint.ts'
import { idSchema, listOf, pageQuerySchema, readPage } from './lists.ts'
import { APPROVAL_STATES, approvalSchema, showApproval } from './shapes.ts'
import { textSchema } from './text.ts'

/** Where the console shows its cards; a click is valid only from a place its card was shown at. */
export const CONSOLE_PLACE = 'console'

export interface ApprovalApiDeps {
  agent: Pick<Agent, 'approval' | 'approvals' | 'vote' | 'cancel' | 'keep' | 'checkAgain' | 'whoMay'>
}

const voteSchema = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  digest: z.string().regex(/^[0-9a-f]{64}$/, 'must be the digest of the approval, 64 hex digits'),
  confirm: textSchema(200).nullish(),
  reason: textSchema(500).nullish(),
})
const reasonSchema = z.strictObject({ reason: textSchema(500, 1) })
const ANSWER = { 200: { words: 'The approval as it stands now.', schema: approvalSchema } }
const DECIDING = ['no-person', 'not-human', 'not-linked', 'not-authorised', 'wrong-place', 'unknown-approval', 'too-late'] as const
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,100}$/

const STORED_PAGE = 100
const MOST_PAGES = 20
const APPROVALS = { name: 'approvals', cursor: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ }

export function approvalEndpoints({ agent }: ApprovalApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/approvals',
      name: 'listApprovals',
      summary: 'Requests for approval, newest first.',
      access: 'caller',
      query: pageQuerySchema.extend({ state: z.enum(APPROVAL_STATES).optional(), incident: textSchema(200, 1).optional() }),
      answers: { 200: { words: 'One page of approvals.', schema: listOf(approvalSchema) } },
      problems: ['invalid-query', 'invalid-cursor'],
      async handle({ query: { state, incident, ...page } }) {
        const filter = { ...storedState(state), ...(incident === undefined ? {} : { incidentId: incident }) }
        const read = async (from: { limit: number; cursor?: string }) => await agent.approvals({ ...filter, ...from })
        const { items, next } = await readPage(APPROVALS, page, (from) =>
          filter.state === 'authorised' ? picked(read, from, (approval) => approvalState(approval) === state) : read(from),
        )
        return { body: { items: items.map(showApproval), next } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/approvals/{id}',
      name: 'getApproval',
      summary: 'One request for approval: the plan, the votes that count, and how it was carried out.',
      access: 'caller',
      params: idSchema,
      answers: ANSWER,
      problems: ['unknown-approval'],
      handle: async ({ params }) => ({ body: showApproval(await known(agent, params.id)) }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/approvals/{id}/votes',
      name: 'vote',
      summary: 'The click of a person on exactly this plan. Send an Idempotency-Key with each click to repeat it safely.',
      access: 'caller',
      params: idSchema,
      body: voteSchema,
      answers: ANSWER,
      problems: [
        ...DECIDING,
        ...(['self-approval', 'step-up-required', 'stale-digest', 'expired', 'cancelled', 'superseded'] as const),
        ...(['already-decided', 'already-voted', 'kill-switch', 'frozen', 'observing'] as const),
      ],
      async handle(call) {
        const { person, actor } = personOf(call.caller)
        const { id: requestId } = call.params
        await known(agent, requestId)
        const { decision, digest, confirm = null, reason = null } = call.body
        const deliveryKey = `console:${person.id}:${requestId}:${clickId(call)}`
        const vote = { requestId, digest, decision, confirm, reason, actor, place: CONSOLE_PLACE, deliveryKey }
        return { body: showApproval(await agent.vote(vote)) }
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/approvals/{id}/cancel',
      name: 'cancelApproval',
      summary: 'Withdraws a request, up to the moment the action is sent.',
      access: 'caller',
      params: idSchema,
      body: reasonSchema,
      answers: ANSWER,
      problems: [...DECIDING, 'already-decided'],
      async handle({ params, body, caller }) {
        const { person } = personOf(caller)
        demand(person.roles, 'cancel')
        return { body: showApproval(await agent.cancel(params.id, person, body.reason)) }
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/approvals/{id}/keep',
      name: 'keepChange',
      summary: 'Keeps a change that was judged failed: its undo will not run.',
      access: 'caller',
      params: idSchema,
      answers: ANSWER,
      problems: [...DECIDING, 'undo-not-due', 'kept'],
      handle: async ({ params, caller }) => ({ body: showApproval(await agent.keep(params.id, personOf(caller).actor)) }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/approvals/{id}/check-again',
      name: 'checkAgain',
      summary: 'For a request that ended without running: looks at the target again and asks with a fresh plan.',
      access: 'caller',
      params: idSchema,
      answers: { 200: { words: 'The fresh request.', schema: approvalSchema } },
      problems: [...DECIDING, 'denied', 'nothing-to-ask', 'looked-at-elsewhere'],
      async handle({ params, caller }) {
        const { person } = personOf(caller)
        demand(person.roles, 'check-again')
        await known(agent, params.id)
        const fresh = await agent.checkAgain(params.id, person)
        if (!fresh) throw new HttpProblem('nothing-to-ask')
        return { body: showApproval(fresh) }
      },
    }),
  ]
}

async function known(agent: Pick<Agent, 'approval'>, id: string): Promise<Approval> {
  const approval = await agent.approval(id)
  if (!approval) throw new Refusal('unknown-approval')
  return approval
}

/** States after the decision are found among the authorised ones. */
function storedState(state: ApprovalState | undefined): { state?: (typeof REQUEST_STATES)[number] } {
  if (state === undefined) return {}
  return { state: REQUEST_STATES.find((stored) => stored === state) ?? 'authorised' }
}

/**
 * A full page of those that fit, read from as many stored pages as that takes, within bounds. Cut in the middle of a stored page, it goes on
 * behind the last one it shows, whose id is the cursor.
 */
async function picked(
  read: (from: { limit: number; cursor?: string }) => Promise<{ items: Approval[]; next: string | null }>,
  { limit, cursor }: { limit: number; cursor?: string },
  fits: (approval: Approval) => boolean,
): Promise<{ items: Approval[]; next: string | null }> {
  const items: Approval[] = []
  let from = cursor ?? null
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await read({ limit: STORED_PAGE, ...(from === null ? {} : { cursor: from }) })
    const fitting = page.items.filter(fits).slice(0, limit - items.length)
    items.push(...fitting)
    const last = fitting.at(-1)
    if (items.length === limit) return { items, next: last === page.items.at(-1) ? page.next : (last?.id ?? null) }
    from = page.next
    if (from === null) break
  }
  return { items, next: from }
}

/** Which click this is: the same one when the browser or a proxy sends it again under the same name. */
function clickId({ context }: Pick<Call<unknown, unknown, unknown>, 'context'>): string {
  const given = context.req.header('idempotency-key')
  if (given === undefined) return randomUUID()
  if (!IDEMPOTENCY_KEY.test(given)) throw new HttpProblem('invalid-request', 'Idempotency-Key must be 1 to 100 visible ASCII characters.')
  return given
}
