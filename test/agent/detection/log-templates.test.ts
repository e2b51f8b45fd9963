import { describe, expect, it } from 'vitest'
import { learnHeader } from '../../../agent/detection/log-header.ts'
import { shapeOf } from '../../../agent/detection/log-shape.ts'
import { createLogTemplates } from '../../../agent/detection/log-templates.ts'

const NO_HEADER = learnHeader([])
const names = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gus', 'hal']

describe('the header of a source', () => {
  const learned = (...heads: string[]) => {
    const lines = Array.from({ length: 20 }, (_, index) => `${heads[index % heads.length]}message ${index} of the source`)
    const header = learnHeader(lines)
    return lines.map((line) => line.slice(header.messageStart(line)))
  }

  it.each([
    ['2026-03-01 10:00:01,123 INFO [worker 1] shop.Orders: ', '2026-03-01 10:00:02,456 WARN [main] shop.Carts: '],
    ['Mar 1 10:00:01 web1 sshd(pam)[123]: ', 'Mar 1 10:00:02 web2 kernel: '],
    ['[10.30 16:49:06] app.exe - ', '[10.30 16:49:07] app.exe *64 - '],
    ['20260301-10:00:01:606|Step_A|300|', '20260301-10:00:02:1|Step_B|301|'],
    ['03-17 16:13:38.811  1702  2395 D Windows: ', '03-17 16:13:39.819  1702  8671 E Power: '],
  ])('is taken off: %s', (...heads) => {
    expect(learned(...heads)).toEqual(Array.from({ length: 20 }, (_, index) => `message ${index} of the source`))
  })

  it('is not seen in a few lines, nor in lines that begin with words', () => {
    expect(learnHeader(['10:00 INFO a: b']).messageStart('10:00 INFO a: b')).toBe(0)
    expect(learned('')).toEqual(Array.from({ length: 20 }, (_, index) => `message ${index} of the source`))
  })
})

describe('the shape of a line', () => {
  it.each([
    ['order 17 failed after 1.5 s', 'order <*> failed after <*>'],
    ['from /10.0.0.7:45307 to /var/lib/shop/a.db', 'from /<*> to <*>'],
    ['uid=0, name=com.shop.App tag="two words" ok', 'uid=<*>, name=<*> tag=<*> ok'],
    ['sent 1033 bytes (1.00 KB) in <1 sec, all', 'sent <*> in <*>, all'],
    ['deleted blk_1 blk_2 blk_3', 'deleted <*>'],
    ['aa:bb:cc:dd:ee:ff joined at Thu Aug 4 10:00', '<*> joined at <*>'],
    ['illegal instruction......0', 'illegal instruction......<*>'],
    ['ready: true', 'ready: true'],
    ['', ''],
  ])('%j is %j', (line, shape) => {
    expect(shapeOf(line)).toBe(shape)
  })
})

describe('templates', () => {
  it('are learned from words that vary, and kept apart by words that tell them apart', () => {
    const templates = createLogTemplates(NO_HEADER)
    for (const name of names) templates.add(`user ${name} signed in from 10.0.0.1 with a key`)
    for (const state of ['opened', 'closed']) templates.add(`the circuit to the bank is ${state}`)
    expect(templates.templates().map(({ text, count }) => [text, count])).toEqual([
      ['user <*> signed in from <*> with a key', 8],
      ['the circuit to the bank is opened', 1],
      ['the circuit to the bank is closed', 1],
    ])
  })

  it('keep the id of the earliest when they turn out to be one, also for lines taken before', () => {
    const templates = createLogTemplates(NO_HEADER)
    const first = templates.add('user ada signed in with a key')
    const second = templates.add('user ben signed in with a key')
    expect(templates.templateOf(first).id).not.toBe(templates.templateOf(second).id)
    for (const name of names) templates.add(`user ${name} signed in with a key`)
    templates.templates()
    expect(templates.templateOf(second)).toEqual(templates.templateOf(first))
    expect(templates.templateOf(first)).toMatchObject({ id: 1, count: 10 })
  })

  it('stay bounded however many different lines come, and know the frequent one again', () => {
    const templates = createLogTemplates(NO_HEADER)
    const word = (number: number): string => number.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)))
    for (let number = 0; number < 3_000; number += 1) {
      templates.add(`${word(number * 7_919)} ${word(number * 104_729)} ${word(number * 31)} ${word(number)}`)
      templates.add('payment was accepted by the bank')
    }
    const kept = templates.templates()
    expect(kept.length).toBeLessThanOrEqual(2_048)
    expect(kept.find(({ text }) => text === 'payment was accepted by the bank')?.count).toBe(3_000)
  })
})
