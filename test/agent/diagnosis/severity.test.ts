import { describe, expect, it } from 'vitest'
import { severityOf } from '../../../agent/diagnosis/severity.ts'
import type { Reach } from '../../../agent/topology/blast-radius.ts'

const users: Reach = { dependents: ['checkout', 'storefront'], frontDoors: ['storefront'], affected: 3, total: 4 }
const inner: Reach = { dependents: [], frontDoors: [], affected: 1, total: 9 }
const wide: Reach = { dependents: ['a', 'b', 'c', 'd'], frontDoors: [], affected: 5, total: 9 }

describe('severity by rule', () => {
  it.each([
    ['critical', users, 1],
    ['critical', wide, 1],
    ['critical', inner, 2],
    ['critical', null, 1],
    ['high', users, 2],
    ['high', wide, 2],
    ['high', inner, 3],
    ['high', null, 2],
    ['warning', users, 3],
    ['warning', inner, 3],
    ['warning', null, 2],
    ['info', users, 4],
    ['info', null, 3],
    [null, users, 1],
    [null, inner, 2],
    [null, null, 1],
  ] as const)('level %s, reach %j: %d', (level, reach, severity) => {
    expect(severityOf({ level, reach }).severity).toBe(severity)
  })

  it('says why', () => {
    expect(severityOf({ level: 'critical', reach: users }).reason).toBe(
      'level critical; users feel it through storefront; it and what calls it: 3 of 4 services',
    )
    expect(severityOf({ level: null, reach: null }).reason).toBe(
      'level not stated, so it counts as critical; who depends on it is unknown, which counts worse',
    )
  })

  it('is never better for what is not known', () => {
    for (const level of ['critical', 'high', 'warning', 'info', null] as const) {
      for (const reach of [users, wide, inner]) {
        expect(severityOf({ level, reach: null }).severity).toBeLessThanOrEqual(severityOf({ level, reach }).severity)
        expect(severityOf({ level: null, reach }).severity).toBeLessThanOrEqual(severityOf({ level, reach }).severity)
      }
    }
  })
})
