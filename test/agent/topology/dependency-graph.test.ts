import { describe, expect, it } from 'vitest'
import { reachOf } from '../../../agent/topology/blast-radius.ts'
import { createDependencyGraph, servicesNear } from '../../../agent/topology/dependency-graph.ts'
import { SHOP_EDGES } from '../../support/shop-inventory.ts'

const graph = createDependencyGraph(SHOP_EDGES)

describe('the call graph', () => {
  it('walks to what a service calls and to what calls it, with distances', () => {
    expect(Object.fromEntries(graph.dependenciesOf('storefront'))).toEqual({ checkout: 1, payments: 2, inventory: 2 })
    expect(Object.fromEntries(graph.dependentsOf('payments'))).toEqual({ checkout: 1, storefront: 2 })
    expect(graph.dependenciesOf('nobody').size).toBe(0)
    expect([...graph.frontDoors]).toEqual(['storefront'])
  })

  it('walks a cycle once, and never to where it began', () => {
    const cycle = createDependencyGraph([
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'a', to: 'a' },
    ])
    expect(Object.fromEntries(cycle.dependenciesOf('a'))).toEqual({ b: 1, c: 2 })
    expect([...cycle.frontDoors]).toEqual([])
  })

  it('names the services on one path, the nearest first, no siblings, within the limit', () => {
    expect(servicesNear(graph, 'payments', 10)).toEqual(['payments', 'checkout', 'storefront'])
    expect(servicesNear(graph, 'checkout', 3)).toEqual(['checkout', 'inventory', 'payments'])
    expect(servicesNear(graph, 'billing', 3)).toEqual(['billing'])
  })

  it('tells who feels it, and that it cannot tell', () => {
    expect(reachOf(graph, 'payments')).toEqual({
      dependents: ['checkout', 'storefront'],
      frontDoors: ['storefront'],
      affected: 3,
      total: 4,
    })
    expect(reachOf(graph, 'storefront')).toMatchObject({ dependents: [], frontDoors: ['storefront'], affected: 1 })
    expect(reachOf(graph, 'billing')).toBeNull()
    const withBank = createDependencyGraph([...graph.edges, { from: 'payments', to: 'bank' }], ['bank'])
    expect(reachOf(withBank, 'payments')).toMatchObject({ affected: 3, total: 4 })
    expect(reachOf(withBank, 'bank')).toMatchObject({ affected: 3, total: 4 })
  })
})
