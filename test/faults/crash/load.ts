import { setTimeout as pause } from 'node:timers/promises'
import type { Executor } from '../../../agent/actions/executor.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { Refusal } from '../../../agent/domain/refusal.ts'
import { KINDS, rowOf, UNGUARDED } from '../../support/fake-cloud/actions/provider.ts'
import type { Behaviour } from '../../support/fake-cloud/cloud.ts'
import { approve, type Clicker, click } from './click.ts'
import type { Random } from './random.ts'
import { APPROVERS, actorOf, VIEWER, type World } from './world.ts'

export interface LoadDeps extends Clicker {
  world: World
  executor: Executor
  random: Random
  /** Called when people have decided on a card. */
  decided(): void
}

const FLOWS = 3
const NAMES_AT_ONCE = 3

/** Everything at once, until the process dies: people ask and decide, the executor acts, the clock runs, the kill switch is pressed. */
export async function load(deps: LoadDeps): Promise<never> {
  const flows = Array.from({ length: FLOWS }, async () => await forever(async () => await oneCard(deps)))
  return await Promise.race([...flows, forever(async () => await runClock(deps)), forever(async () => await pressStop(deps))])
}

async function forever(step: () => Promise<void>): Promise<never> {
  for (;;) {
    try {
      await step()
    } catch (error) {
      // The kernel's no is one of the things that happen.
      if (!(error instanceof Refusal)) throw error
    }
  }
}

async function runClock({ world, executor, random }: LoadDeps): Promise<void> {
  await pause(2 + random.below(6))
  const kind = random.fraction()
  await world.clock.jump(kind < 0.015 ? 61 : kind < 0.04 ? 15 : 0.2 + random.fraction())
  executor.wake()
}

async function pressStop({ world, random }: LoadDeps): Promise<void> {
  await pause(20 + random.below(400))
  await world.control.stop(random.pick(['*', 'env:fake', 'kind:k8s.scale']), random.pick(APPROVERS))
  await pause(random.below(10))
  for (const { scope } of await world.control.stopped()) await world.control.start(scope, 'host', 'host')
}

async function oneCard(deps: LoadDeps): Promise<void> {
  const { world, random, acknowledge } = deps
  const [left] = random.chance(0.3) ? (await world.kernel.approvals({ state: 'pending', limit: 1 })).items : []
  if (left) return await decide(deps, left)
  const kind = random.pick(KINDS)
  const name = random.chance(0.3) ? `shared-${random.below(NAMES_AT_ONCE)}` : `own-${Math.floor(random.fraction() * 1e9)}`
  await world.cloud.expect(kind, name, [behaviourFor(kind, random)])
  const approval = await world.ask(kind, name)
  if (!approval) return
  acknowledge({ ack: 'asked', requestId: approval.id })
  if (random.chance(0.1)) await world.ask(kind, name, approval.incidentId)
  await decide(deps, approval)
  if (random.chance(0.2)) await keepIfFailed(deps, approval)
}

async function decide(deps: LoadDeps, approval: Approval): Promise<void> {
  const { world, random, acknowledge, executor } = deps
  const dice = random.fraction()
  if (dice < 0.05) return
  if (dice < 0.1) await click(deps, approval, VIEWER)
  if (dice > 0.95) return void (await click(deps, approval, random.pick(APPROVERS), 'deny'))
  if (dice > 0.9) {
    await world.kernel.cancel(approval.id, random.pick(APPROVERS), 'not now')
    return acknowledge({ ack: 'cancelled', requestId: approval.id })
  }
  if (dice > 0.8) {
    const key = `twice-${approval.id}`
    await Promise.all([click(deps, approval, 'ada', 'approve', key), click(deps, approval, 'ada', 'approve', key)])
  }
  await approve(deps, approval)
  executor.wake()
  deps.decided()
}

async function keepIfFailed({ world, random }: LoadDeps, { id }: Approval): Promise<void> {
  for (let look = 0; look < 10; look += 1) {
    await pause(5)
    const approval = await world.kernel.approval(id)
    if (approval?.undoFrom) return void (await world.kernel.keep(id, actorOf(random.pick(APPROVERS))))
  }
}

/** Half of all calls go well; the rest goes wrong in every way there is. */
export function behaviourFor(kind: string, random: Random): Behaviour {
  const horizon = rowOf(kind).definition.probeHorizonSeconds
  if (random.chance(0.4)) return 'answer'
  if (rowOf(kind).undo && random.chance(0.3)) return 'useless'
  return random.pick<Behaviour>([
    'lose-answer',
    'delay',
    `late:${Math.floor(horizon * random.fraction() * 0.7)}`,
    // Where the API has no guard, a copy made by the network is a second effect, whoever calls.
    UNGUARDED.has(kind) ? 'delay' : random.pick<Behaviour>(['twice', 'twice-second-answer']),
    'refuse',
    'lose-call',
    'fault-after',
    'useless',
    'useless',
    'invisible',
  ])
}
