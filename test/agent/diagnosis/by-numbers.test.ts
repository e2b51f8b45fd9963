import { describe, expect, it } from 'vitest'
import type { RankingContent } from '../../../agent/diagnosis/evidence-content.ts'
import { rankCauses } from '../../../agent/diagnosis/rank-causes.ts'
import { at, change, facts, moved, type SaidOfService } from '../../support/facts.ts'

type Said = Parameters<typeof facts>[0]

const reason = (said: Partial<RankingContent['components'][number]['reasons'][number]> = {}) => ({
  ...{ metric: 'latency_p99', score: 2.1, times: 8.2, usual: 0.02, risen: 0.098, explained: 0, since: at(40), lead: 20 },
  ...said,
})

function ranking(components: RankingContent['components'], abstained = false): NonNullable<Said['ranking']> {
  const noticed = { service: 'storefront', metric: 'latency_p99', noticedAt: at(60), services: ['inventory', 'storefront'], series: 10 }
  return { ...noticed, calls: 3, abstained, components, label: 'ranking' }
}

const inInventory = ranking([{ component: 'inventory', score: 2.1, reasons: [reason()] }])
const failing: SaidOfService = { metrics: [moved('error_ratio', 0, 0.6, 58)], workload: { version: 'v42' } }
const released: Said = { services: { payments: failing }, changes: [change('release', 'payments', 55)] }
const told = (said: Said) => rankCauses(facts(said)).map(({ class: cause, component }) => `${cause} ${component}`)

describe('where no rule knows the cause', () => {
  it('the unknown is placed where the numbers say it began, whatever the alert names, with figures that are cited', () => {
    const [first] = rankCauses(facts({ service: 'storefront', ranking: inInventory }))
    expect(first).toMatchObject({ class: 'unknown', component: 'service/inventory', since: new Date(at(40)) })
    expect(first?.claims[0]).toEqual({
      text: 'By the numbers the trouble began in inventory: latency p99 rose from its usual 20 ms to 98 ms, 8.2 times its usual spread, at 10:41:40 UTC, 20 s before the alert.',
      cites: ['ranking', 'metrics-inventory'],
    })
    expect(first?.unknown[0]).toBe('what is wrong in inventory: numbers tell where it began, not why')
  })

  it('somebody else’s service is named as such', () => {
    const outside: Said['outside'] = [['bank', { owner: 'Northmark', contact: 'its desk' }]]
    const bank = ranking([{ component: 'bank', score: 2, reasons: [reason()] }])
    expect(told({ ranking: bank, outside, edges: [{ from: 'payments', to: 'bank' }] })[0]).toBe('unknown external/bank')
  })

  it('it says what speaks against it: a close second, and what is explained by what it calls', () => {
    const close = ranking([
      {
        component: 'checkout',
        score: 2.4,
        reasons: [reason({ explained: 0.4 }), reason({ metric: 'cpu_used_ratio', times: 5, usual: 0.1, risen: 0.6 })],
      },
      { component: 'inventory', score: 2.1, reasons: [reason()] },
    ])
    const [first] = rankCauses(facts({ service: 'storefront', ranking: close }))
    expect(first?.against.map(({ text }) => text)).toEqual([
      'What checkout calls explains 40 % of that.',
      'The numbers put inventory close behind: 2.1 against 2.4.',
    ])
    expect(first?.claims[1]?.text).toMatch(/^Its CPU used rose from its usual 10\.0 % to 60\.0 %, 5\.0 times its usual spread/)
  })

  it('it says that it does not know where the ranking abstained, and stays where the rules see trouble', () => {
    const [first] = rankCauses(facts({ ranking: ranking(inInventory.components, true) }))
    expect(first).toMatchObject({ class: 'unknown', component: 'service/payments' })
    expect(first?.unknown).toContain('the numbers do not tell where it began: nothing left its usual by more than chance does')
  })

  it('what the platform says is down comes before the numbers, because what is down has none', () => {
    const down: Said['services'] = { payments: { workload: { desiredReplicas: 2, readyReplicas: 0 } } }
    expect(told({ service: 'checkout', services: down, ranking: inInventory })[0]).toBe('unknown service/payments')
  })
})

describe('where a rule knows the cause', () => {
  it('a release seconds before stays first, and another place is a possibility behind it that says what is against it', () => {
    const [first, second] = rankCauses(facts({ ...released, ranking: inInventory }))
    expect(first).toEqual(rankCauses(facts(released))[0])
    expect(second).toMatchObject({ class: 'unknown', component: 'service/inventory' })
    expect(second?.score).toBeLessThan(first?.score ?? 0)
    expect(second?.against.map(({ text }) => text)).toEqual(['payments went from v41 to v42 (release) at 10:41:55 UTC.'])
  })

  it('the same place is one more statement for it, and changes no score', () => {
    const same = ranking([{ component: 'payments', score: 2.1, reasons: [reason()] }])
    const [first] = rankCauses(facts({ ...released, ranking: same }))
    const [without] = rankCauses(facts(released))
    expect(first).toMatchObject({ class: 'bad_release', score: without?.score, signs: without?.signs })
    expect(first?.claims.slice(0, -1)).toEqual(without?.claims)
    expect(first?.claims.at(-1)?.text).toMatch(/^By the numbers the trouble began in payments/)
  })

  it('a leak stays first', () => {
    const leaking = moved('memory_used_ratio', 0.2, 0.91, 62, { risingSince: at(50), low: 0.19 })
    const leak: Said = { service: 'inventory', services: { inventory: { metrics: [leaking] } } }
    const elsewhere = ranking([{ component: 'checkout', score: 9, reasons: [reason({ times: 900 })] }])
    expect(told({ ...leak, ranking: elsewhere })[0]).toBe('memory_leak service/inventory')
  })

  it('of what went away by itself the numbers are not asked', () => {
    const gone: Said = { services: { payments: { metrics: [moved('error_ratio', 0, 0, 58, { ended: at(67) })] } }, symptom: {} }
    expect(told({ ...gone, ranking: inInventory })).toEqual(told(gone))
  })
})
