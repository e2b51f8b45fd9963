import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadConsoleModules } from '../../support/console-modules.ts'

const { BOX, layOut } = await loadConsoleModules()

const shop = ['checkout', 'inventory', 'payments', 'storefront']
const calls = [
  { from: 'storefront', to: 'checkout' },
  { from: 'checkout', to: 'payments' },
  { from: 'checkout', to: 'inventory' },
]

describe('the picture of the services', () => {
  test('a service stands above what it calls, and what one calls stands side by side', () => {
    const { places, lines } = layOut(shop, calls)
    const layers = Object.fromEntries(places.map(({ name, layer }) => [name, layer]))
    expect(layers).toEqual({ storefront: 0, checkout: 1, inventory: 2, payments: 2 })
    expect(lines).toHaveLength(3)
  })

  test('the order in which services and calls are told does not change it', () => {
    const picture = layOut(shop, calls)
    const other = layOut(shop.toReversed(), calls.toReversed())
    expect(other.places.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      picture.places.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    )
  })

  test('a call to what is not known, or to itself, has no line', () => {
    const { lines } = layOut(
      ['a'],
      ['a', 'b'].map((to) => ({ from: 'a', to })),
    )
    expect(lines).toEqual([])
  })

  test('any graph, circles included: everything is drawn once, inside the picture, nothing on top of another', () => {
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { minLength: 1 })
    const pair = fc.record({ from: fc.constantFrom(...'abcdefghij'), to: fc.constantFrom(...'abcdefghij') })
    fc.assert(
      fc.property(names, fc.uniqueArray(pair, { selector: ({ from, to }) => from + to }), (known, edges) => {
        const { places, width, height } = layOut(known, edges)
        expect(places.map(({ name }) => name).toSorted()).toEqual(known.toSorted())
        for (const { x, y } of places) expect(x >= 0 && y >= 0 && x + BOX.width <= width && y + BOX.height <= height).toBe(true)
        const apart = places.every((one) =>
          places.every((other) => one === other || one.y !== other.y || Math.abs(one.x - other.x) >= BOX.width),
        )
        expect(apart).toBe(true)
      }),
      { seed: 20_261_121 },
    )
  })
})
