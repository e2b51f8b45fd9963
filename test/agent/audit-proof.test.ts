import { describe, expect, test } from 'vitest'
import { createAuditProof } from '../../agent/audit-proof.ts'

describe('the proof of the audit log', () => {
  const begin = () => {
    const state = { clock: 1_800_000_000_000, looks: 0, gate: Promise.resolve(), broken: false }
    const proof = createAuditProof({
      audit: {
        verify: async () => {
          state.looks += 1
          await state.gate
          if (state.broken) throw new Error('the database is away')
          return { ok: true, violations: [], entries: state.looks, head: 'h' }
        },
      },
      selfCheck: { run: async () => [] },
      now: () => new Date(state.clock),
    })
    return { proof, state }
  }

  test('is told again for a minute, with its time, and made again after it', async () => {
    const { proof, state } = begin()
    const first = await proof.recent()
    expect(first.at.getTime()).toBe(state.clock)
    state.clock += 59_999
    expect(await proof.recent()).toBe(first)
    state.clock += 1
    expect((await proof.recent()).report.entries).toBe(2)
  })

  test('is made at each time for whoever acts on it, and then told to the others', async () => {
    const { proof } = begin()
    await proof.recent()
    expect((await proof.fresh()).report.entries).toBe(2)
    expect((await proof.recent()).report.entries).toBe(2)
  })

  test('is made once for all who ask at the same time', async () => {
    const { proof, state } = begin()
    const gate = Promise.withResolvers<void>()
    state.gate = gate.promise
    const asked = [proof.recent(), proof.recent(), proof.recent()]
    gate.resolve()
    await Promise.all(asked)
    expect(state.looks).toBe(1)
  })

  test('that failed is told to nobody, and made again', async () => {
    const { proof, state } = begin()
    state.broken = true
    await expect(proof.recent()).rejects.toThrow('away')
    state.broken = false
    expect((await proof.recent()).report.entries).toBe(2)
  })

  test('of a clock that went back is made again', async () => {
    const { proof, state } = begin()
    await proof.recent()
    state.clock -= 1
    expect((await proof.recent()).report.entries).toBe(2)
  })
})
