import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLeases } from '../../../storage/leases.ts'
import { describeDatabases } from '../../support/database.ts'
import { createExecutorHarness, type ExecutorHarness } from '../../support/executor-harness.ts'

const TAKEN_OVER = 20

describeDatabases('an executor that slept since it sent', (store) => {
  const database = store.perTest()
  let harness: ExecutorHarness
  beforeEach(async () => {
    harness = await createExecutorHarness(database())
  })
  afterEach(async () => await harness.close())

  /** An executor whose lease lapses, and goes to a standby, right before it makes its call. */
  const overtaken = (): { taken: () => boolean; start: () => void; stop: () => Promise<void> } => {
    const leases = createLeases(database())
    let isAtCall = false
    let isTaken = false
    const executor = harness.executor({
      crashpoint: (point) => {
        isAtCall ||= point === 'C12'
      },
      lease: {
        acquire: async () => await leases.acquire('executor', 'first', 10),
        async renew(epoch) {
          if (isAtCall && !isTaken) {
            await harness.moveTo(TAKEN_OVER)
            await leases.acquire('executor', 'standby', 10)
            isTaken = true
          }
          return await leases.renew('executor', 'first', epoch, 10)
        },
        release: async () => {},
      },
    })
    return { taken: () => isTaken, start: executor.start, stop: executor.stop }
  }

  it('makes no call, and writes nothing more', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const executor = overtaken()
    executor.start()
    await harness.until(card.id, executor.taken)
    await executor.stop()
    expect(harness.target.ledger).toEqual([])
    expect((await harness.approval(card.id)).execution?.state).toBe('sent')
  })

  it('is given the time of its call before anybody says that nothing was applied', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const first = overtaken()
    first.start()
    await harness.until(card.id, first.taken)
    await first.stop()
    await harness.moveTo(2 * TAKEN_OVER)
    const standby = harness.executor()
    standby.start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'unknown')
    await harness.moveTo(2 * TAKEN_OVER + 25)
    standby.wake()
    await standby.stop()
    expect((await harness.approval(card.id)).execution?.state).toBe('unknown')
    await harness.moveTo(2 * TAKEN_OVER + 60)
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
  })
})
