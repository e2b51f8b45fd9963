import { describe, expect, test } from 'vitest'
import { rankComponents } from '../../../../agent/diagnosis/ranking/rank-components.ts'
import type { MeasureKind, RankingQuestion, Track } from '../../../../agent/diagnosis/ranking/tracks.ts'

const NOTICED = 100_000
const PAST = 300
const AFTER = 120

/** One sample a second: a wave of ±4 % around `usual`, and `risen` from `began` on. */
function track(
  component: string,
  kind: MeasureKind,
  usual: number,
  { risen = usual, began = NOTICED, ...more }: { risen?: number; began?: number; caller?: string } = {},
): Track {
  const points = Array.from({ length: PAST + AFTER }, (_, i): [number, number] => {
    const at = NOTICED - PAST + i
    return [at, (at >= began ? risen : usual) * (1 + 0.04 * Math.sin(i))]
  })
  return { component, metric: kind, kind, points, ...more }
}

function ask(tracks: readonly Track[], more: Partial<RankingQuestion> = {}): ReturnType<typeof rankComponents> {
  return rankComponents({ tracks, calls: [], noticedAt: NOTICED, symptom: null, seenByCallersOnly: new Set(), ...more })
}

const order = (ranking: ReturnType<typeof rankComponents>): string[] => ranking.components.map(({ component }) => component)

describe('what moved most', () => {
  test('the component whose own measure rose is first, and says when', () => {
    const ranking = ask([track('cart', 'cpu', 10), track('user', 'cpu', 10, { risen: 90 })])
    expect(order(ranking)).toEqual(['user', 'cart'])
    expect(ranking.components[0]).toMatchObject({ since: NOTICED, reasons: [{ kind: 'cpu', ownShare: 1 }] })
    expect(ranking.abstained).toBe(false)
  })

  test('it does not know where nothing left the usual', () => {
    expect(ask([track('cart', 'cpu', 10), track('user', 'cpu', 10)]).abstained).toBe(true)
    expect(ask([])).toEqual({ components: [], abstained: true })
  })

  test('a single sample is chance', () => {
    const spiky = track('cart', 'latency', 0.1)
    const points = spiky.points.map(([at, value], i): [number, number] => [at, i === PAST + 30 ? 50 : value])
    const ranking = ask([{ ...spiky, points }, track('user', 'latency', 0.1, { risen: 0.4 })])
    expect(order(ranking)[0]).toBe('user')
  })

  test('what was noticed just now need not have lasted a minute, and chance is still chance', () => {
    const until = (second: number, each: Track): Track => ({ ...each, points: each.points.filter(([at]) => at <= NOTICED + second) })
    const soon = ask([track('cart', 'cpu', 10), track('user', 'cpu', 10, { risen: 90, began: NOTICED - 6 })].map((each) => until(4, each)))
    expect(order(soon)[0]).toBe('user')
    expect(soon.abstained).toBe(false)
    const tooSoon = ask([track('cart', 'cpu', 10), track('user', 'cpu', 10, { risen: 90 })].map((each) => until(2, each)))
    expect(tooSoon.abstained).toBe(true)
  })

  test('a spread that is stated as small is not a surprise', () => {
    const idle = track('idle', 'traffic', 0, { risen: 0.5 })
    expect(ask([idle]).abstained).toBe(false)
    expect(ask([{ ...idle, floor: 1 }]).abstained).toBe(true)
  })

  test('what does so all the time is no surprise', () => {
    const restless = track('batch', 'cpu', 10)
    const points = restless.points.map(([at, value], i): [number, number] => [at, Math.floor(i / 40) % 3 === 1 ? 90 : value])
    const ranking = ask([{ ...restless, points }, track('user', 'cpu', 10, { risen: 60 })])
    expect(order(ranking)[0]).toBe('user')
  })

  test('a minute between the beginning and the notice changes nothing', () => {
    const ranking = ask([track('cart', 'cpu', 10), track('user', 'cpu', 10, { risen: 90, began: NOTICED - 60 })])
    expect(order(ranking)[0]).toBe('user')
    expect(ranking.components[0]?.since).toBe(NOTICED - 60)
  })

  test('a doubling of next to nothing weighs less than what peers would call trouble', () => {
    const ranking = ask([
      track('idle', 'cpu', 0.001, { risen: 0.01 }),
      track('cart', 'cpu', 10),
      track('user', 'cpu', 10, { risen: 40 }),
      track('web', 'cpu', 12),
    ])
    expect(order(ranking)[0]).toBe('user')
  })
})

describe('where it comes from', () => {
  const calls = [
    { from: 'web', to: 'cart' },
    { from: 'cart', to: 'db' },
  ]

  test('slowness of a caller is explained by as much slowness of the called', () => {
    const slow = [
      track('web', 'latency', 0.1, { risen: 0.9 }),
      track('cart', 'latency', 0.05, { risen: 0.85 }),
      track('db', 'latency', 0.01, { risen: 0.8 }),
    ]
    expect(order(ask(slow, { calls }))[0]).toBe('db')
    const [first] = ask(slow, { calls }).components
    expect(first?.reasons[0]?.ownShare).toBe(1)
  })

  test('what is slow beyond what it calls is slow itself', () => {
    const slow = [
      track('web', 'latency', 0.1, { risen: 0.9 }),
      track('cart', 'latency', 0.05, { risen: 0.85 }),
      track('db', 'latency', 0.01),
    ]
    expect(order(ask(slow, { calls }))[0]).toBe('cart')
  })

  test('a called component explains only the share of requests that reach it', () => {
    const failing = [
      track('web', 'errors', 0.001, { risen: 0.5 }),
      track('web', 'traffic', 100),
      track('cart', 'errors', 0.001, { risen: 0.5 }),
      track('cart', 'traffic', 2),
    ]
    const web = ask(failing, { calls }).components.find(({ component }) => component === 'web')
    expect(web?.reasons.find(({ kind }) => kind === 'errors')?.ownShare).toBeCloseTo(0.98, 1)
  })

  test('what lies on no path of calls from the symptom comes after what does', () => {
    const tracks = [track('web', 'latency', 0.1), track('cart', 'cpu', 10, { risen: 40 }), track('report', 'cpu', 10, { risen: 90 })]
    const asked = { calls: [...calls, { from: 'report', to: 'archive' }], symptom: { component: 'web', kind: 'latency' as const } }
    expect(order(ask(tracks, asked))[0]).toBe('cart')
  })

  test('an address that only callers measured gives way to the component behind it', () => {
    const tracks = [
      track('web', 'latency', 0.1, { risen: 0.9 }),
      track('cart', 'latency', 0.02, { risen: 0.5 }),
      track('cart.example', 'latency', 0.02, { risen: 0.85 }),
    ]
    const seen = { calls: [...calls, { from: 'web', to: 'cart.example' }], seenByCallersOnly: new Set(['cart.example']) }
    expect(order(ask(tracks, seen))[0]).toBe('cart')
  })

  test('a slow network is that of the component whose calls are all slow', () => {
    const network = (caller: string, component: string, risen?: number): Track =>
      track(component, 'network', 0.003, { caller, ...(risen === undefined ? {} : { risen }) })
    const ranking = ask([
      network('web', 'cart', 0.2),
      network('cart', 'db', 0.2),
      network('web', 'user'),
      network('user', 'db'),
      network('web', 'search'),
    ])
    expect(order(ranking)[0]).toBe('cart')
  })
})
