import { expect, test } from 'vitest'
import { createTokenBucket } from '../../bot/token-bucket.ts'

function clock(): { now: () => Date; pass: (seconds: number) => void } {
  let at = 1_000_000
  return {
    now: () => new Date(at),
    pass: (seconds) => {
      at += seconds * 1_000
    },
  }
}

test('lets a burst through, then as many a second as it should', () => {
  const { now, pass } = clock()
  const bucket = createTokenBucket({ perSecond: 2, burst: 3, now })
  const through = (tries: number): number => Array.from({ length: tries }, () => bucket.take()).filter((wait) => wait === 0).length
  expect(through(10)).toBe(3)
  pass(1)
  expect(through(10)).toBe(2)
  pass(3_600)
  expect(through(10)).toBe(3)
})

test('says how long to wait, in whole seconds', () => {
  const { now, pass } = clock()
  const bucket = createTokenBucket({ perSecond: 0.1, burst: 1, now })
  expect(bucket.take()).toBe(0)
  expect(bucket.take()).toBe(10)
  pass(9.5)
  expect(bucket.take()).toBe(1)
  pass(1)
  expect(bucket.take()).toBe(0)
})

test('a clock that is set back takes nothing away', () => {
  const { now, pass } = clock()
  const bucket = createTokenBucket({ perSecond: 1, burst: 2, now })
  pass(-3_600)
  expect(bucket.take()).toBe(0)
  expect(bucket.take()).toBe(0)
  pass(1)
  expect(bucket.take()).toBe(0)
})
