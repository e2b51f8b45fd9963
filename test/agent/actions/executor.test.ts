import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { approvalOutcome, approvalState } from '../../../agent/domain/approval.ts'
import { describeDatabases } from '../../support/database.ts'
import { createExecutorHarness, type ExecutorHarness } from '../../support/executor-harness.ts'

describeDatabases('the executor', (store) => {
  const database = store.perTest()
  let harness: ExecutorHarness

  beforeEach(async () => {
    harness = await createExecutorHarness(database())
  })
  afterEach(async () => {
    await harness.close()
    expect((await harness.audit.verify()).violations).toEqual([])
  })

  const states = async (id: string): Promise<string[]> => (await harness.approval(id)).execution?.events.map(({ state }) => state) ?? []

  it('carries out an approved plan once, and verifies it from telemetry', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    await harness.moveTo(6)
    const done = await harness.until(card.id, ({ execution }) => execution?.state === 'verified')
    expect(await states(card.id)).toEqual(['claimed', 'intent', 'sent', 'succeeded', 'verified'])
    expect(approvalState(done)).toBe('done')
    expect(harness.target.ledger).toHaveLength(1)
    expect(await harness.journal.entries()).toMatchObject([{ planId: card.plan.id, digest: card.digest }])
  })

  it('runs nothing without a vote, after a denial, or by a viewer', async () => {
    harness.executor().start()
    const card = await harness.card()
    await expect(harness.vote(card, 'bob')).rejects.toMatchObject({ code: 'not-authorised' })
    await expect(harness.vote(card, 'mallory')).rejects.toMatchObject({ code: 'not-linked' })
    await harness.vote(card, 'carol', 'deny')
    await expect(harness.vote(card, 'alice')).rejects.toMatchObject({ code: 'already-decided' })
    await harness.until(card.id, ({ requestState }) => requestState === 'denied')
    expect(harness.target.ledger).toEqual([])
  })

  it('aborts when the target changed after the card, and sends nothing', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.target.state.version = 'v3'
    harness.executor().start()
    const aborted = await harness.until(card.id, ({ execution }) => execution?.state === 'aborted')
    expect(aborted.execution?.events.at(-1)?.detail).toEqual({ reason: 'stale-target', words: 'version was v2 and is v3' })
    expect(harness.target.ledger).toEqual([])
  })

  it('aborts when another object took the name', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.target.state.uid = 'uid-2'
    harness.executor().start()
    const aborted = await harness.until(card.id, ({ execution }) => execution?.state === 'aborted')
    expect(aborted.execution?.events.at(-1)?.detail['reason']).toBe('stale-target')
  })

  it('aborts when the symptom healed by itself, and when it cannot be read', async () => {
    const card = await harness.card({ symptom: true })
    await harness.vote(card, 'alice')
    harness.target.errors['v2'] = 0.01
    harness.executor({ patienceMs: 0 }).start()
    const healed = await harness.until(card.id, ({ execution }) => execution?.state === 'aborted')
    expect(healed.execution?.events.at(-1)?.detail['reason']).toBe('healed')
    harness.target.errors['v2'] = undefined
    const second = await harness.card({ symptom: true, asked: true })
    await harness.vote(second, 'alice')
    const unread = await harness.until(second.id, ({ execution }) => execution?.state === 'aborted')
    expect(unread.execution?.events.at(-1)?.detail['reason']).toBe('stale-target')
    expect(harness.target.ledger).toEqual([])
  })

  it('waits a little for samples of the symptom: right after a restart there are none', async () => {
    const card = await harness.card({ symptom: true })
    await harness.vote(card, 'alice')
    const ill = harness.target.errors['v2']
    harness.target.errors['v2'] = undefined
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'claimed')
    harness.target.errors['v2'] = ill
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    expect(harness.target.ledger).toHaveLength(1)
  })

  it('aborts when the policy no longer allows it', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor({ objectionOfPolicy: () => ({ code: 'policy-denied', words: 'the rule is gone' }) }).start()
    const aborted = await harness.until(card.id, ({ execution }) => execution?.state === 'aborted')
    expect(aborted.execution?.events.at(-1)?.detail).toEqual({ reason: 'policy-denied', words: 'the rule is gone' })
  })

  it('aborts after the kill switch, a freeze, a cancel, a revoked approver and the expiry', async () => {
    const reasons: Record<string, () => Promise<unknown>> = {
      'kill-switch': async () => await harness.control.stop('*', 'carol'),
      frozen: async () =>
        await harness.control.freeze({
          scope: 'env:local',
          from: new Date(Date.now() - 1_000),
          to: new Date(Date.now() + 60_000),
          reason: 'release day',
          by: 'carol',
        }),
    }
    for (const [code, forbid] of Object.entries(reasons)) {
      const card = await harness.card({ asked: true })
      await harness.vote(card, 'alice')
      await forbid()
      const executor = harness.executor()
      executor.start()
      const aborted = await harness.until(card.id, ({ execution }) => execution?.state === 'aborted')
      expect(aborted.execution?.events.at(-1)?.detail['reason']).toBe(code)
      await executor.stop()
      await harness.control.start('*', 'host', 'host')
      for (const { id } of await harness.control.freezes()) await harness.control.unfreeze(id, 'host')
    }
    expect(harness.target.ledger).toEqual([])
  })

  it('never repeats a call whose answer was lost: it asks the target, and goes on', async () => {
    harness.target.reply = 'lose-answer'
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    expect(await states(card.id)).toEqual(['claimed', 'intent', 'sent', 'unknown', 'succeeded'])
    expect(harness.target.ledger).toHaveLength(1)
  })

  it('believes that a lost call did nothing only after the horizon', async () => {
    harness.target.reply = 'lose-call'
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'unknown')
    await harness.moveTo(3)
    const failed = await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    expect(approvalOutcome(failed)).toBe('failed')
    expect(approvalState(failed)).toBe('done')
    expect(harness.target.ledger).toEqual([])
  })

  it('tells a refusal of the target in its words', async () => {
    harness.target.reply = 'refuse'
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    const failed = await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    expect(failed.execution?.events.at(-1)?.detail).toMatchObject({
      called: true,
      reason: 'permission-missing',
      words: 'the account lacks workloads.update',
    })
  })

  it('makes no call without its journal line', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const full = {
      tryToWrite: async () => {},
      append: async () => Promise.reject(new Error('ENOSPC: no space left on device')),
      entries: async () => [],
    }
    harness.executor({ journal: full }).start()
    const failed = await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    expect(failed.execution?.events.at(-1)?.detail).toMatchObject({ called: false, reason: 'journal' })
    expect(harness.target.ledger).toEqual([])
  })

  it('undoes what did not help: after a minute, once, by the plan the click covered', async () => {
    harness.target.errors['v1'] = 0.8
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    await harness.moveTo(12)
    await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    expect(harness.target.state.version).toBe('v1')
    await harness.moveTo(75)
    const undone = await harness.until(card.id, ({ execution }) => execution?.state === 'undone')
    expect(harness.target.ledger.map(({ version }) => version)).toEqual(['v1', 'v2'])
    expect(undone.undoExecution?.events.map(({ state }) => state)).toEqual(['claimed', 'intent', 'sent', 'succeeded', 'verified'])
    expect(approvalState(undone)).toBe('done')
    expect(approvalOutcome(undone)).toBe('undone')
  })

  it('leaves a failed change alone when somebody keeps it', async () => {
    harness.target.errors['v1'] = 0.8
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    await harness.moveTo(12)
    await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    await harness.kernel.keep(card.id, { surface: 'console', tenant: 'local', externalId: 'bob' })
    await harness.moveTo(75)
    expect(await harness.executions.undosDue()).toEqual([])
    const kept = await harness.until(card.id, (approval) => approvalState(approval) === 'done')
    expect(kept).toMatchObject({ keptBy: 'bob', execution: { state: 'failed' } })
    expect(harness.target.state.version).toBe('v1')
  })

  it('lets the undo lapse after ten minutes in which it could not run', async () => {
    harness.target.errors['v1'] = 0.8
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const executor = harness.executor()
    executor.start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    await harness.moveTo(12)
    await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    await harness.control.stop('*', 'alice')
    await harness.moveTo(700)
    const lapsed = await harness.until(card.id, (approval) => approvalState(approval) === 'done')
    expect(lapsed).toMatchObject({ undoLapsed: true, execution: { state: 'failed' }, undoExecution: null })
    expect(harness.target.ledger).toHaveLength(1)
  })

  it('is undetermined without samples, and does not undo on no evidence', async () => {
    harness.target.errors['v1'] = undefined
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    await harness.moveTo(12)
    const done = await harness.until(card.id, ({ execution }) => execution?.state === 'undetermined')
    expect(approvalState(done)).toBe('done')
    expect(await harness.executions.undosDue()).toEqual([])
  })

  it('says failed, and undoes, although the telemetry could not be read at the very end', async () => {
    harness.target.errors['v1'] = 0.8
    const card = await harness.card()
    await harness.vote(card, 'alice')
    harness.executor().start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    harness.target.unreadable = true
    await harness.moveTo(12)
    await expect.poll(() => harness.target.unread, { timeout: 10_000 }).toBeGreaterThan(2)
    expect((await harness.approval(card.id)).execution?.state).toBe('succeeded')
    harness.target.unreadable = false
    await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
  })

  it.each([
    ['not-applied', 'failed'],
    ['applied', 'succeeded'],
  ] as const)('ends what the target cannot answer by the word of a person: %s', async (found, state) => {
    harness.target.reply = 'lose-answer'
    harness.target.probeAnswer = 'unknown'
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const executor = harness.executor()
    const word = { found, by: 'host', reason: 'looked at the console of the provider' }
    await expect(executor.settle(card.plan.id, word)).rejects.toMatchObject({ code: 'fenced' })
    executor.start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'unknown')
    await expect(executor.settle(randomUUID(), word)).rejects.toMatchObject({ code: 'too-late' })
    await executor.settle(card.plan.id, word)
    const settled = await harness.approval(card.id)
    expect(settled.execution?.events.find((event) => event.state === state)?.detail).toMatchObject({ verdict: 'person', by: 'host' })
    await expect(executor.settle(card.plan.id, word)).rejects.toMatchObject({ code: 'too-late' })
    expect(harness.target.ledger).toHaveLength(1)
  })

  it('waits no longer than it may for a call that heeds no signal, and asks the target', async () => {
    harness.target.beforeEffect = async () => await new Promise(() => {})
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const executor = harness.executor({ effectTimeoutMs: 50 })
    executor.start()
    const unknown = await harness.until(card.id, ({ execution }) => execution?.state === 'unknown')
    expect(unknown.execution?.events.at(-1)?.detail).toMatchObject({ words: 'the target did not answer in time' })
    await executor.stop()
  })

  it('carries out what was approved although its incident cannot follow', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const moved = async (): Promise<never> => {
      throw new Error('the database went away for a moment')
    }
    harness.executor({ moved }).start()
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    expect(harness.target.ledger).toHaveLength(1)
  })

  it.each([
    ['C9', 'aborted', 0],
    ['C10', 'aborted', 0],
    ['C11', 'failed', 0],
    ['C12', 'failed', 0],
    ['C16', 'succeeded', 1],
  ] as const)('settles what an executor that died at %s left behind as %s, and never sends again', async (point, expected, effects) => {
    let died = false
    const dying = harness.executor({
      crashpoint: (reached) => {
        if (died || reached !== point) return
        died = true
        throw new Error(`died at ${point}`)
      },
    })
    const card = await harness.card()
    await harness.vote(card, 'alice')
    dying.start()
    await harness.until(card.id, ({ execution }) => died && execution?.state === expected)
    expect(harness.target.ledger).toHaveLength(effects)
    expect((await harness.approval(card.id)).execution?.events.filter(({ state }) => state === 'sent').length).toBeLessThanOrEqual(1)
  })

  it('does not claim while it only observes', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const observing = harness.executor({ observing: async () => ['the audit log does not verify'] })
    observing.start()
    observing.wake()
    await observing.stop()
    expect((await harness.approval(card.id)).execution).toBeNull()
  })

  it('makes no call when everything was stopped while it prolonged its lease', async () => {
    const card = await harness.card()
    await harness.vote(card, 'alice')
    const executor = harness.executor()
    harness.onRenew = async () => {
      const found = await harness.approval(card.id)
      if (found.execution?.state === 'sent') await harness.control.stop('*', 'carol')
    }
    executor.start()
    const failed = await harness.until(card.id, ({ execution }) => execution?.state === 'failed')
    expect(failed.execution?.events.at(-1)?.detail).toMatchObject({ called: false, reason: 'kill-switch' })
    expect(harness.target.ledger).toEqual([])
  })

  it('does not take a healthy bystander for a cure: the symptom of the incident is part of the contract', async () => {
    const card = await harness.card({ symptom: true, symptomOf: 'checkout' })
    expect(card.plan.success.metrics.map(({ service }) => service)).toEqual(['checkout', 'payments'])
  })

  it('gives way to an executor that took the lease over', async () => {
    const first = harness.executor()
    first.start()
    const card = await harness.card()
    await harness.moveTo(20)
    const second = harness.executor()
    second.start()
    await harness.vote(card, 'alice')
    await harness.until(card.id, ({ execution }) => execution?.state === 'succeeded')
    expect(harness.target.ledger).toHaveLength(1)
  })
})
