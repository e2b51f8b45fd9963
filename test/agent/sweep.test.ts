import { expect, test } from 'vitest'
import type { Incident } from '../../agent/domain/incident.ts'
import { createSweep } from '../../agent/sweep.ts'
import { anIncident } from '../support/builders.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

/** Open incidents in two pages, and whoever looks after them; each look takes `lookMs` of a clock that only it moves. */
function swept({ lookMs = 0, look = async () => {} }: { lookMs?: number; look?: (id: string) => Promise<void> } = {}) {
  const pages: Incident[][] = [
    Array.from({ length: 10 }, (_, number) => anIncident({ id: `inc-${20 - number}` })),
    Array.from({ length: 10 }, (_, number) => anIncident({ id: `inc-${10 - number}` })),
  ]
  let clock = 0
  const turns: string[] = []
  const sweep = createSweep({
    incidents: {
      list: async ({ cursor }) =>
        cursor === undefined ? { items: pages[0] ?? [], next: 'second' } : { items: pages[1] ?? [], next: null },
    },
    async lookAfter(id) {
      turns.push(id)
      clock += lookMs
      await look(id)
    },
    now: () => new Date(clock),
    log: quiet,
  })
  return { sweep, turns }
}

const signal = (): AbortSignal => new AbortController().signal

test('each page has its turn, and then the first again', async () => {
  const { sweep, turns } = swept()
  for (let round = 0; round < 3; round += 1) await sweep(signal())
  expect(turns.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, number) => `inc-${20 - number}`))
  expect(turns[20]).toBe('inc-20')
})

test('where every look takes long it ends in time, and the next sweep goes on where this one ended: nobody is left out', async () => {
  const { sweep, turns } = swept({ lookMs: 10_000 })
  for (let round = 0; round < 6; round += 1) {
    const before = turns.length
    await sweep(signal())
    expect(turns.length - before).toBeLessThanOrEqual(4)
  }
  expect(new Set(turns).size).toBe(20)
})

test('one that fails costs nobody a turn, and one that was ended in the middle is not tried again before the others', async () => {
  const ended = new AbortController()
  const { sweep, turns } = swept({
    look: async (id) => {
      if (id === 'inc-19') throw new Error('broken')
      if (id === 'inc-15') {
        ended.abort(new Error('the job took too long'))
        throw new Error('ended')
      }
    },
  })
  await expect(sweep(ended.signal)).rejects.toThrow('the job took too long')
  await sweep(signal())
  await sweep(signal())
  expect(turns).toEqual(Array.from({ length: 20 }, (_, number) => `inc-${20 - number}`))
})
