import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { runSchema } from '../../bot/api/drills.ts'
import { approvalSchema } from '../../bot/api/shapes.ts'
import type { PersonAt } from './person.ts'

const LOOK_EVERY_MS = 100
const OVER_WITHIN_MS = 300_000

/** How one run went, in milliseconds; a figure is absent where the run had no such step. */
export interface Round {
  name: string
  passed: boolean
  words: string
  /** From the click's request to its answer, which says "authorised". */
  clickToAuthorised: number[]
  claimToSent: number[]
  /** From the moment the vote was recorded. */
  clickToSent: number[]
  totalMs: number
}

type Approval = z.infer<typeof approvalSchema>

/** Runs one scenario from the fault to its end; `person` approves whatever is asked. */
export async function runRound(person: PersonAt, name: string): Promise<Round> {
  const began = performance.now()
  const { run } = await person.post('/api/v1/drills', { name }, z.object({ run: z.string() }))
  const clicks = new Map<string, number>()
  for (;;) {
    const seen = await person.get(`/api/v1/drills/${run}`, runSchema)
    for (const id of seen.approvals) if (!clicks.has(id)) await clickOnce(person, id, clicks)
    if (seen.state !== 'running' || performance.now() - began > OVER_WITHIN_MS) {
      const approvals = await Promise.all(seen.approvals.map((id) => person.get(`/api/v1/approvals/${id}`, approvalSchema)))
      const words = seen.words ?? 'it did not end in time'
      return { name, passed: seen.state === 'passed', words, ...figuresOf(approvals, clicks), totalMs: performance.now() - began }
    }
    await pause(LOOK_EVERY_MS)
  }
}

async function clickOnce(person: PersonAt, id: string, clicks: Map<string, number>): Promise<void> {
  const { state, digest } = await person.get(`/api/v1/approvals/${id}`, approvalSchema)
  if (state !== 'pending') return
  const began = performance.now()
  await person.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest }, approvalSchema)
  clicks.set(id, performance.now() - began)
}

function figuresOf(
  approvals: readonly Approval[],
  clicks: ReadonlyMap<string, number>,
): Pick<Round, 'clickToAuthorised' | 'claimToSent' | 'clickToSent'> {
  const at = (approval: Approval, state: string): number | null => {
    const event = approval.execution?.events.find((each) => each.state === state)
    return event ? Date.parse(event.at) : null
  }
  const between = (from: (approval: Approval) => number | null): number[] =>
    approvals.flatMap((approval) => {
      const [start, sent] = [from(approval), at(approval, 'sent')]
      return start === null || sent === null ? [] : [sent - start]
    })
  const votedAt = (approval: Approval): number | null => Date.parse(approval.votes.at(-1)?.at ?? '') || null
  return {
    clickToAuthorised: [...clicks.values()],
    claimToSent: between((approval) => at(approval, 'claimed')),
    clickToSent: between(votedAt),
  }
}
