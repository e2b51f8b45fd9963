import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCitationCheck } from '../../../agent/diagnosis/citations.ts'
import type { EvidenceItem } from '../../../agent/domain/evidence.ts'
import { anyText } from '../../support/any-text.ts'

function item(label: string, content: unknown, status: EvidenceItem['status'] = 'ok'): EvidenceItem {
  const from = new Date('2026-03-01T10:37:00Z')
  return {
    ...{ id: label, incidentId: 'inc-1', label, kind: 'metrics', source: 'shop', trust: 'metric', status },
    ...{ summary: '', query: '', from, to: from, link: null, content, hash: '', collectedAt: from },
  }
}

const evidence = [
  item('E1', {
    service: 'payments',
    series: [{ metric: 'error_ratio', points: [[1772361726, 0.6153]] }],
    before: 0.0042,
    began: '2026-03-01T10:42:06.120Z',
    heap: 61_341_696,
    latency: 0.2436,
  }),
  item('E2', {
    changes: [{ service: 'payments', from: 'v41', to: 'v42', at: '2026-03-01T10:42:03.900Z', summary: "pool 'db.internal:5432' resized" }],
  }),
  item('E3', { edges: [{ from: 'checkout', to: 'payments' }], text: 'POST /charges failed: RangeError 30.63 ECONNREFUSED' }),
  item('E4', { failed: 'no answer', service: 'payments', code: 503 }, 'failed'),
]
const names = new Set(['payments', 'checkout', 'storefront', 'inventory'])
const check = createCitationCheck(evidence, names)
const supported = (text: string, ...cites: string[]): boolean => check({ text, cites }).supported

describe('a claim is borne out', () => {
  it.each([
    ['Errors of payments: 61.5 % now, 0.4 % before.', ['E1']],
    ['Errors of payments are at 62 %.', ['E1']],
    ['It began at 10:42:06 UTC.', ['E1']],
    ['Latency p99 of payments is 244 ms.', ['E1']],
    ['Memory of payments: 59 MiB.', ['E1']],
    ['Memory of payments: 58.5 MiB.', ['E1']],
    ['payments went from v41 to v42 at 10:42:03 UTC.', ['E2']],
    ['It went from v41 to v42, and 61.5 % fail.', ['E1', 'E2']],
    ['checkout calls payments.', ['E3']],
    ['payments logs “POST /charges failed: RangeError 30.63”.', ['E1', 'E3']],
    ['The pool is db.internal:5432.', ['E2']],
    ['Nothing that could be checked is said here.', ['E1']],
  ])('%s %j', (text, cites) => {
    expect(supported(text, ...cites)).toBe(true)
  })
})

describe('a claim is struck', () => {
  it.each([
    ['a number that is not there', 'Errors of payments: 71.5 %.', ['E1']],
    ['a number rounded wrongly', 'Errors of payments: 61.6 %.', ['E1']],
    ['digits nobody measured', 'Errors of payments: 61.530001 %.', ['E1']],
    ['a number of another item', 'payments went to v42 with 61.5 % errors.', ['E2']],
    ['the wrong unit', 'Latency of payments is 2436 ms.', ['E1']],
    ['a scale of another unit', 'It failed 61.5 times.', ['E1']],
    ['a moment that is not there', 'It began at 10:42:07 UTC.', ['E1']],
    ['a version that is not there', 'payments runs v43.', ['E2']],
    ['part of a version', 'payments runs v4.', ['E2']],
    ['a service the item does not name', 'inventory is slow.', ['E1']],
    ['an error nobody logged', 'It says ETIMEDOUT.', ['E3']],
    ['a host nobody named', 'It calls db.external:5432.', ['E2']],
    ['a quotation that is not literal', 'It logs “POST /charges fell over”.', ['E3']],
    ['no citation', 'payments is slow.', []],
    ['a label that does not exist', 'payments is slow.', ['E9']],
    ['one good and one missing label', 'payments is slow.', ['E1', 'E9']],
    ['an item that failed', 'payments answers 503.', ['E4']],
  ])('%s', (_, text, cites) => {
    expect(supported(text, ...cites)).toBe(false)
  })
})

describe('numbers', () => {
  it('are borne out by themselves at every number of digits, and by nothing else', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1_000, noNaN: true }), fc.integer({ min: 0, max: 3 }), (value, digits) => {
        const own = createCitationCheck([item('E1', { value })], names)
        const written = value.toFixed(digits)
        const wrong = (Number(written) + 2 * 10 ** -digits).toFixed(digits)
        expect(own({ text: `It is ${written} now.`, cites: ['E1'] }).supported).toBe(true)
        expect(own({ text: `It is ${wrong} now.`, cites: ['E1'] }).supported).toBe(false)
      }),
    )
  })

  it('never make the check fail, whatever the text and the content', () => {
    fc.assert(
      fc.property(anyText(), fc.anything(), (text, content) => {
        expect(typeof createCitationCheck([item('E1', content)], names)({ text, cites: ['E1'] }).supported).toBe('boolean')
      }),
    )
  })
})
