import { randomUUID } from 'node:crypto'
import type { Crashpoint } from '../../../agent/crashpoint.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { Refusal } from '../../../agent/domain/refusal.ts'
import type { Acknowledge } from './acks.ts'
import { APPROVERS, actorOf, type World } from './world.ts'

export interface Clicker {
  world: Pick<World, 'kernel'>
  crashpoint: Crashpoint
  acknowledge: Acknowledge
}

/** One click as the console delivers it, between the two crash points that surround it. Returns the refusal's code, or null. */
export async function click(
  { world, crashpoint, acknowledge }: Clicker,
  { id, digest, plan }: Approval,
  person: string,
  decision: 'approve' | 'deny' = 'approve',
  deliveryKey: string = randomUUID(),
): Promise<string | null> {
  try {
    crashpoint('C6')
    await world.kernel.vote({
      requestId: id,
      digest,
      decision,
      actor: actorOf(person),
      place: 'console',
      confirm: plan.approval.confirm,
      reason: null,
      deliveryKey,
    })
    crashpoint('C7')
    acknowledge({ ack: 'voted', requestId: id, person, decision })
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

/** Clicks until the plan has the people it needs. */
export async function approve(clicker: Clicker, approval: Approval): Promise<void> {
  for (const person of APPROVERS.slice(0, approval.plan.approval.needed)) await click(clicker, approval, person)
}
