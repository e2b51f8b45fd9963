import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import {
  type Asker,
  channelOf,
  haveSameOwners,
  isForReadersOf,
  type Located,
  ownersOf,
  type Sight,
  sees,
  seesEnvironment,
  sightIn,
  sightOf,
  type Workspace,
} from '../../../agent/domain/workspace.ts'

const space = (name: string, changed: Partial<Workspace> = {}): Workspace => ({
  name,
  services: null,
  environments: null,
  data: DATA_KINDS,
  people: [],
  keys: [],
  channels: [],
  ...changed,
})

const some = (...all: string[]) => fc.subarray(all)
const spaces = fc.array(
  fc.record({
    name: fc.uuid(),
    services: fc.option(some('payments', 'checkout', 'ledger')),
    environments: fc.option(some('north', 'south')),
    data: fc.subarray([...DATA_KINDS]),
    people: some('ann', 'bo'),
    keys: some('ann', 'deploys'),
    channels: some('C1', 'C2'),
  }),
  { maxLength: 4 },
)
const things = fc.record({ service: fc.constantFrom('payments', 'checkout', 'ledger'), environment: fc.constantFrom('north', 'south') })
const askers: fc.Arbitrary<Asker> = fc.oneof(
  fc.record({ kind: fc.constant('person' as const), id: fc.constantFrom('ann', 'bo', 'zed'), isAdmin: fc.boolean() }),
  fc.record({ kind: fc.constant('key' as const), name: fc.constantFrom('ann', 'deploys', 'other') }),
  fc.constant({ kind: 'nobody' as const }),
)
const places = fc.constantFrom('C1', 'C2', 'C9', null)

/** The rule once more, the long way: one workspace of the thing has to let the asker, and one the place. */
function expected(all: readonly Workspace[], asker: Asker, channel: string | null, thing: Located): boolean {
  if (all.length === 0) return true
  let byAsker = asker.kind === 'person' && asker.isAdmin
  let byPlace = channel === null
  for (const { services, environments, people, keys, channels } of all) {
    if (services !== null && !services.includes(thing.service)) continue
    if (environments !== null && !environments.includes(thing.environment)) continue
    if (asker.kind === 'person' && people.includes(asker.id)) byAsker = true
    if (asker.kind === 'key' && keys.includes(asker.name)) byAsker = true
    if (channel !== null && channels.includes(channel)) byPlace = true
  }
  return byAsker && byPlace
}

describe('what is seen', () => {
  test('is what the asker and the place may both see, whoever asks for whatever wherever', () => {
    fc.assert(
      fc.property(spaces, askers, places, things, (all, asker, channel, thing) => {
        expect(sees(sightOf(all, asker, channel), thing)).toBe(expected(all, asker, channel, thing))
      }),
      { numRuns: 2_000 },
    )
  })

  test('of a kind of data is never more than of the thing', () => {
    const one = [space('one', { services: ['payments'], people: ['ann'], data: ['metrics'], channels: ['C1'] })]
    const payments = { service: 'payments', environment: 'north' }
    const sight = sightOf(one, { kind: 'person', id: 'ann', isAdmin: false }, 'C1')
    expect([sees(sight, payments), sees(sight, payments, 'metrics'), sees(sight, payments, 'logs')]).toEqual([true, true, false])
    fc.assert(
      fc.property(spaces, askers, places, things, fc.constantFrom(...DATA_KINDS), (all, asker, channel, thing, kind) => {
        const seen = sightOf(all, asker, channel)
        if (sees(seen, thing, kind)) expect(sees(seen, thing)).toBe(true)
        if (sees(seen, thing)) expect(seesEnvironment(seen, thing.environment)).toBe(true)
      }),
    )
  })

  test('in a channel is what everybody there may read, however much an admin sees elsewhere', () => {
    const all = [space('pay', { services: ['payments'], channels: ['C1'] }), space('shop', { services: ['checkout'], channels: ['C2'] })]
    const admin: Asker = { kind: 'person', id: 'root', isAdmin: true }
    const seen = (sight: Sight) => ['payments', 'checkout', 'ledger'].filter((service) => sees(sight, { service, environment: 'north' }))
    expect(seen(sightOf(all, admin, null))).toEqual(['payments', 'checkout', 'ledger'])
    expect(seen(sightOf(all, admin, 'C1'))).toEqual(['payments'])
    expect(seen(sightIn(all, 'C2'))).toEqual(['checkout'])
    expect(seen(sightIn(all, 'C9'))).toEqual([])
  })
})

describe('what belongs to a workspace', () => {
  test('is named with stars for any characters', () => {
    const matches = (pattern: string, service: string) =>
      ownersOf([space('one', { services: [pattern] })], { service, environment: 'north' }).length === 1
    const letters = (more: string) => fc.string({ unit: fc.constantFrom(...`ab${more}`), maxLength: 6 })
    fc.assert(
      fc.property(letters('*'), letters(''), (pattern, name) => {
        expect(matches(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
      }),
      { numRuns: 2_000 },
    )
    expect(['Shop-*', 'shop', 'shop.cart', 'sh*p-c*rt'].map((pattern) => matches(pattern, 'shop-cart'))).toEqual([true, false, false, true])
  })

  test('is shown in its own channel, and nowhere when it has none', () => {
    const payments = { service: 'payments', environment: 'north' }
    const mute = space('mute', { services: ['payments'] })
    expect(channelOf([], payments, 'C0')).toBe('C0')
    expect(channelOf([mute, space('pay', { services: ['pay*'], channels: ['C1', 'C2'] })], payments, 'C0')).toBe('C1')
    expect(channelOf([space('shop', { services: ['checkout'], channels: ['C2'] })], payments, 'C0')).toBeNull()
  })

  test('is told to readers of something else only when all of them may read it', () => {
    fc.assert(
      fc.property(spaces, things, things, askers, (all, read, thing, asker) => {
        const sight = sightOf(all, asker, null)
        if (sees(sight, read) && isForReadersOf(all, read, thing)) expect(sees(sight, thing)).toBe(true)
        if (haveSameOwners(all, read, thing)) expect(sees(sight, thing)).toBe(sees(sight, read))
      }),
      { numRuns: 1_000 },
    )
  })
})
