import { describe, expect, test } from 'vitest'
import { FAULT_CLASSES } from '../../../agent/domain/fault-classes.ts'
import { quantityWords } from '../../../agent/domain/metric-words.ts'
import { causeWords, faultWords } from '../../../bot/messages/cause-words.ts'
import { approvalPage, evidencePage, incidentPage } from '../../../bot/messages/console-links.ts'
import { boundWords, readingWords } from '../../../bot/messages/metric-words.ts'
import { plainOf, say, scalar } from '../../../bot/messages/span.ts'
import { successWords } from '../../../bot/messages/success-words.ts'
import { deadline, durationWords } from '../../../bot/messages/time-words.ts'
import { aPlan, at } from '../../support/builders.ts'

describe('quantities', () => {
  test.each([
    ['0.05', 'ratio', '5 %'],
    ['0.005', 'ratio', '0.5 %'],
    ['1', 'ratio', '100 %'],
    ['-0.1', 'ratio', '-10 %'],
    ['0.123456', 'ratio', '12.3456 %'],
    ['0.5', 's', '0.5 s'],
    ['268435456', 'bytes', '268 435 456 bytes'],
    ['2', '', '2'],
  ])('%s %s is %s', (decimal, unit, words) => expect(quantityWords(decimal, unit)).toBe(words))

  test.each([
    ['0.0123456', 'ratio', '1.23 %'],
    ['0', 'ratio', '0 %'],
    ['0.02471', 's', '0.0247 s'],
    ['268435456', '', '268000000'],
    ['v41', '', 'v41'],
    ['', '', ''],
  ])('a reading of %s %s is %s', (reading, unit, words) => expect(readingWords(reading, unit)).toBe(words))

  test('a bound is read as a sentence', () => {
    const bound = { service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: 'ratio' } as const
    expect(plainOf(boundWords(bound))).toBe('errors of payments ≤ 5 %')
    expect(plainOf(boundWords({ ...bound, metric: 'parcels_lost', comparator: '>=', threshold: '9', unit: '' }))).toBe(
      'parcels_lost of payments ≥ 9',
    )
  })
})

describe('times', () => {
  test.each([
    [0, '0 s'],
    [-4, '0 s'],
    [45, '45 s'],
    [60, '1 min'],
    [569.9, '9 min 29 s'],
    [7_200, '2 h'],
    [93_784, '1 d 2 h'],
  ])('%d seconds are %s', (seconds, words) => expect(durationWords(seconds)).toBe(words))

  test('a deadline says until when and how long that is', () => {
    expect(plainOf([deadline(at(600), at(30))])).toBe('until 02:20:00 UTC (9 min 30 s left)')
    expect(plainOf([deadline(at(600), at(900))])).toBe('until 02:20:00 UTC (0 s left)')
  })
})

describe('the success contract', () => {
  test('says each bound, how long, within what, on how many samples', () => {
    expect(successWords(aPlan().success).map(plainOf)).toEqual([
      'errors of payments ≤ 5 %',
      'version is v41',
      'for 5 s without a break, within 20 s, on at least 5 samples, counted from 2 s after the change',
      'fewer samples: undetermined, which never counts as success',
    ])
  })

  test('says when only a weaker check is possible', () => {
    const contract = { ...aPlan().success, metrics: [], weaker: 'no traffic at this hour' }
    expect(successWords(contract).map(plainOf)).toContain('only a weaker check is possible now: no traffic at this hour')
  })
})

describe('causes', () => {
  test('every class of the list has words without underscores', () => {
    for (const fault of Object.values(FAULT_CLASSES).flat()) expect(faultWords(fault)).toMatch(/^[A-Za-z' ]+$/)
  })

  test('an unknown cause names nobody', () => {
    expect(plainOf(causeWords('unknown', 'service/payments'))).toBe('not known yet')
    expect(plainOf(causeWords('bad_release', 'service/payments'))).toBe('a bad release, in service/payments')
  })
})

describe('lines', () => {
  test('keep the spaces of their parts and clean what comes from outside', () => {
    expect(plainOf(say`a${' (why) '}b ${'x\u202e\n y'} ${3}`)).toBe('a (why) b x y 3')
  })

  test('tell a number from text that looks like one', () => {
    const shown = [2, '2', true, 'true', null, 'null', '', '""'].map((value) => plainOf([scalar(value)]))
    expect(new Set(shown).size).toBe(shown.length)
  })
})

describe('links to the console', () => {
  test('keep ids in one path segment', () => {
    expect(incidentPage('http://127.0.0.1:8080/', 'INC-1')).toBe('http://127.0.0.1:8080/#/incidents/INC-1')
    expect(approvalPage('http://127.0.0.1:8080', 'a/b', 'r?x')).toBe('http://127.0.0.1:8080/#/incidents/a%2Fb/r%3Fx')
    expect(evidencePage('https://ops.example', 'INC-1', 'E3')).toBe('https://ops.example/#/incidents/INC-1/E3')
  })
})
