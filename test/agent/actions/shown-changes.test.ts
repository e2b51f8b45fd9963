import { expect, test } from 'vitest'
import { shownChanges } from '../../../agent/actions/shown-changes.ts'

test('secrets in texts of a dry run are masked before they are cut; numbers and switches stay', () => {
  const long = `${'x '.repeat(90)}postgres://shop:correct-horse-battery-staple@db.shop/payments`
  const [url, cut, plain, none] = shownChanges([
    { field: 'a', from: 'postgres://shop:hush-hush@db', to: 'password=hush-hush' },
    { field: 'b', from: null, to: long },
    { field: 'c', from: 'shop/payments:v41', to: 'shop/payments:v42' },
    { field: 'd', from: 3, to: true },
  ])
  expect(url).toEqual({ field: 'a', from: 'postgres://[secret]@db', to: 'password=[secret]' })
  expect(String(cut?.to)).toHaveLength(200)
  expect(String(cut?.to)).not.toContain('correct')
  expect(plain).toEqual({ field: 'c', from: 'shop/payments:v41', to: 'shop/payments:v42' })
  expect(none).toEqual({ field: 'd', from: 3, to: true })
})
