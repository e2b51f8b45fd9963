import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ExpectedHeartbeat, isHeartbeat, look, type Silence } from '../../../agent/heartbeats/silence.ts'
import { alert } from '../../support/alerts.ts'

const START = Date.parse('2026-03-01T10:00:00.000Z')
const at = (seconds: number): Date => new Date(START + seconds * 1_000)
const EXPECTED: ExpectedHeartbeat = {
  name: 'production',
  source: 'test',
  alert: 'Watchdog',
  match: { cluster: 'eu' },
  withinSeconds: 60,
  environment: null,
  level: 'critical',
}
const watchdog = alert({ name: 'Watchdog', labels: { cluster: 'eu', more: 'x' } })

/** Looks every five seconds from one moment to another, and tells what was raised. */
function listen(from: number, to: number, heardAt: string | null, before: Silence | null = null) {
  let silence = before
  const raised = []
  for (let second = from; second <= to; second += 5) {
    const next = look(EXPECTED, silence, heardAt, at(second))
    silence = next.silence
    raised.push(...next.alerts)
  }
  return { silence, raised }
}

test.each([
  ['the alert itself', watchdog, true],
  ['with another name', { ...watchdog, name: 'HighErrorRatio' }, false],
  ['of another sender', { ...watchdog, source: 'generic' }, false],
  ['of another cluster', { ...watchdog, labels: { cluster: 'us' } }, false],
])('%s', (_, heard, is) => {
  expect(isHeartbeat(EXPECTED, heard)).toBe(is)
})

describe('an expected heartbeat', () => {
  test('is told once, when it was not heard for as long as it may be away', () => {
    const heardAt = at(0).toISOString()
    expect(listen(0, 55, heardAt).raised).toEqual([])
    const { raised } = listen(0, 600, heardAt)
    expect(raised).toMatchObject([
      {
        status: 'firing',
        key: 'heartbeat:production',
        startsAt: heardAt,
        name: 'alerts no longer arrive from production',
        level: 'critical',
        summary: expect.stringContaining('Watchdog was heard last at 2026-03-01T10:00:00Z'),
      },
    ])
  })

  test('that was never heard is told too, and in these words', () => {
    const [first] = listen(0, 100, null).raised
    expect(first?.summary).toContain('Watchdog was never heard since 2026-03-01T10:00:00Z')
  })

  test('that is heard again ends what was told, by the same key and beginning', () => {
    const { silence, raised } = listen(0, 100, at(0).toISOString())
    const back = look(EXPECTED, silence, at(103).toISOString(), at(105))
    expect(back.alerts).toMatchObject([{ ...raised[0], status: 'resolved', endsAt: at(103).toISOString() }])
    expect(listen(110, 160, at(103).toISOString(), back.silence).raised).toEqual([])
    expect(listen(110, 180, at(103).toISOString(), back.silence).raised).toHaveLength(1)
  })

  test('is not missed for the time in which nobody could hear it', () => {
    const { silence } = listen(0, 30, at(0).toISOString())
    const night = 8 * 3_600
    expect(listen(night, night + 10, at(0).toISOString(), silence).raised).toEqual([])
    expect(listen(night, night + 60, at(0).toISOString(), silence).raised).toHaveLength(1)
  })

  test('is told however often the process is started again', () => {
    let silence: Silence | null = null
    let told = 0
    // Twenty seconds of life each minute: no life is as long as the heartbeat may be away.
    for (let minute = 0; minute < 10; minute += 1) {
      const life = listen(minute * 60, minute * 60 + 20, at(0).toISOString(), silence)
      silence = life.silence
      told += life.raised.length
    }
    expect(told).toBe(1)
  })

  test('two who look at the same raise the same bytes', () => {
    const { silence } = listen(0, 55, at(0).toISOString())
    const [a, b] = [60, 62].map((second) => JSON.stringify(look(EXPECTED, silence, at(0).toISOString(), at(second)).alerts))
    expect(a).not.toBe('[]')
    expect(a).toBe(b)
  })

  test('is never missed while it comes in time, whatever the clock does', () => {
    const step = fc.record({ seconds: fc.integer({ min: -3_600, max: 20 }), heard: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        let [time, sinceHeard, silence, heardAt] = [0, 0, null as Silence | null, at(0).toISOString()]
        for (const { seconds, heard } of steps) {
          time += seconds
          sinceHeard = heard || sinceHeard + Math.max(seconds, 0) >= 50 ? 0 : sinceHeard + Math.max(seconds, 0)
          if (sinceHeard === 0) heardAt = new Date(START + time * 1_000 + steps.length).toISOString()
          const next = look(EXPECTED, silence, heardAt, at(time))
          expect(next.alerts).toEqual([])
          silence = next.silence
        }
      }),
    )
  })
})
