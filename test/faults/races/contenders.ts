import { sql } from 'kysely'
import type { Decision, ExecutionState } from '../../../agent/domain/approval.ts'
import { createLeases } from '../../../storage/leases.ts'
import { actorOf, clickOf } from '../../support/kernel.ts'
import type { Contender, Round } from './race.ts'

const LEASE_SECONDS = 86_400
const DECIDED = ['already-decided', 'already-voted']

/** A person's click; two contenders with the same `key` are one click delivered twice. */
export function clicks(person: string, decision: Decision, key: string, refusals: readonly string[] = DECIDED): Contender {
  return {
    name: `${decision} by ${person}`,
    refusals,
    async act({ arena, prizes: [prize] }) {
      if (!prize) throw new Error('there is nothing to vote on')
      await arena.kernel.approvals.vote(clickOf(prize, person, { decision, deliveryKey: `${prize.requestId}-${person}-${key}` }))
    },
  }
}

export function cancels(person: string): Contender {
  return {
    name: `cancel by ${person}`,
    refusals: ['too-late', 'already-decided'],
    act: async ({ arena, prizes: [prize] }) => await arena.kernel.approvals.cancel(prize?.requestId ?? '', person, 'not now'),
  }
}

/** An executor that goes as far as `sent` from where the plan is, and stops at the first refusal. */
export function executes(refusals: readonly string[], plan = 0): Contender {
  return {
    name: `execute ${plan}`,
    refusals,
    async act({ arena, prizes }) {
      const prize = prizes[plan]
      if (!prize) throw new Error('there is nothing to execute')
      const { executions, epoch } = arena.kernel
      let executionId = prize.executionId
      const steps: ExecutionState[] = ['sent']
      if (executionId === '') {
        executionId = (await executions.claim(prize.authorisationId, epoch)).executionId
        steps.unshift('intent')
      }
      for (const step of steps) await executions.advance(executionId, step, epoch, {})
    },
  }
}

export function claims(name: string, { plan, epoch }: { plan: number; epoch: number }): Contender {
  return {
    name,
    refusals: ['in-flight', 'already-sent', 'fenced'],
    act: async ({ arena, prizes }) => await arena.kernel.executions.claim(prizes[plan]?.authorisationId ?? '', epoch),
  }
}

/** Stops everything, and notes where the audit log stood when that returned. */
export const stops: Contender = {
  name: 'stop',
  refusals: [],
  async act(round) {
    await round.arena.kernel.control.stop('*', 'ben')
    await noteReturn(round)
  },
}

/** The lease lapses, another executor takes it, sends the same, and gives up what it may not send. */
export const takesOver: Contender = {
  name: 'take over',
  refusals: ['fenced', 'already-sent'],
  async act(round) {
    const { arena, prizes } = round
    await sql`update lease set expires_at = clk() where name = 'executor'`.execute(arena.db)
    const lease = await createLeases({ db: arena.db }).acquire('executor', 'other', LEASE_SECONDS)
    await noteReturn(round)
    round.noted.set('epoch', lease?.epoch ?? 0)
    const executionId = prizes[0]?.executionId ?? ''
    await arena.kernel.executions.advance(executionId, 'sent', lease?.epoch ?? 0, {})
  },
}

/** Takes Ada's role, or unlinks her account, and notes where the audit log stood when that returned. */
export function revokes(what: 'role_grant' | 'identity_link'): Contender {
  return {
    name: `revoke ${what}`,
    refusals: [],
    async act(round) {
      await sql`update ${sql.id(what)} set revoked_at = clk() where principal_id = 'ada' and revoked_at is null`.execute(round.arena.db)
      await noteReturn(round)
    },
  }
}

export const undoes: Contender = {
  name: 'undo',
  refusals: ['kept', 'already-decided'],
  act: async ({ arena, prizes: [prize] }) => await arena.kernel.executions.authoriseUndo(prize?.executionId ?? ''),
}

export function keeps(person: string): Contender {
  return {
    name: `keep by ${person}`,
    refusals: ['kept', 'too-late'],
    act: async ({ arena, prizes: [prize] }) => await arena.kernel.approvals.keep(prize?.requestId ?? '', actorOf(person)),
  }
}

export const expires: Contender = { name: 'expire', refusals: [], act: async ({ arena }) => await arena.kernel.approvals.expireDue() }

async function noteReturn({ arena, noted }: Round): Promise<void> {
  noted.set('returned', await arena.head())
}
