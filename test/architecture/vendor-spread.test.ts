import { describe, expect, test } from 'vitest'
import { product } from './product.ts'
import { parseSource } from './source.ts'
import { vendorSpread } from './vendor-spread.ts'

/** The registry, the configuration, and one place more. */
const MOST_FILES = 3

describe('the product', () => {
  test(`names no vendor in more than ${MOST_FILES} files outside its folder`, () => {
    expect([...vendorSpread(product)].filter(([, files]) => files.length > MOST_FILES)).toEqual([])
  })

  test('names no vendor in agent/', () => {
    const inAgent = [...vendorSpread(product)].map(
      ([vendor, files]) => [vendor, files.filter((path) => path.startsWith('agent/'))] as const,
    )
    expect(inAgent.filter(([, files]) => files.length > 0)).toEqual([])
  })
})

describe('the vendor rule', () => {
  const vendor = (name: string) => parseSource(`integrations/${name}/index.ts`, `export const id = '${name}'`)
  const spread = (name: string, text: string, path = 'bot/server.ts') => vendorSpread([vendor(name), parseSource(path, text)]).get(name)

  test.each([
    ['jira', "const path = '/webhooks/jira'"],
    ['jira', 'function createJiraClient() {}'],
    ['pagerduty', 'const PAGERDUTY_URL = 1'],
    ['pagerduty', 'const x = openPagerDutyIncident'],
    ['cert-manager', "import { x } from '../integrations/cert-manager/index.ts'"],
    ['new-relic', 'const newRelic = 1'],
    ['local', "import { x } from '../integrations/local/index.ts'"],
    ['local', "const target = 'local'"],
  ])('counts %s in %s', (name, text) => expect(spread(name, text)).toEqual(['bot/server.ts']))

  test.each([
    ['jira', '// as in Jira'],
    ['aws', 'const draws = 1'],
    ['local', "const words = 'a local time'; const local = 1"],
  ])('does not count %s in %s', (name, text) => expect(spread(name, text)).toEqual([]))

  test('counts a chat platform, except where the surfaces are listed', () => {
    const text = "export const SURFACES = ['slack', 'teams']"
    const sources = ['agent/domain/principal.ts', 'bot/announcer.ts', 'bot/slack/app.ts'].map((path) => parseSource(path, text))
    expect(vendorSpread(sources).get('slack')).toEqual(['bot/announcer.ts'])
    expect(vendorSpread(sources).get('teams')).toEqual(['bot/announcer.ts', 'bot/slack/app.ts'])
  })
})
