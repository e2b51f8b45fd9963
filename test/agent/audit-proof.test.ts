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

  const OFTEN = 6

  test('is made anew a few times a minute; whoever asks more often is told the last one, with its time', async () => {
    const { proof, state } = begin()
    for (let time = 1; time <= OFTEN; time += 1) expect((await proof.recent()).report.entries).toBe(time)
    state.clock += 59_999
    const again = await proof.recent()
    expect([again.report.entries, again.at.getTime()]).toEqual([OFTEN, state.clock - 59_999])
    state.clock += 1
    expect((await proof.recent()).report.entries).toBe(OFTEN + 1)
  })

  test('is made at each time for whoever acts on it, and then told to those who ask too often', async () => {
    const { proof } = begin()
    for (let time = 1; time <= OFTEN; time += 1) await proof.recent()
    expect((await proof.fresh()).report.entries).toBe(OFTEN + 1)
    expect((await proof.recent()).report.entries).toBe(OFTEN + 1)
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
