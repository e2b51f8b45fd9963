import { expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import { examineWorkspaces } from '../../../bot/cli/workspace-check.ts'
import { loadConfig } from '../../../bot/config.ts'

const settings = loadConfig({ STEADYHAND_API_KEYS: `deploys:${'d'.repeat(32)},${'k'.repeat(32)}` }, '/nonexistent')
const pay = {
  name: 'pay',
  services: ['pay*'],
  environments: null,
  data: DATA_KINDS,
  people: ['alice', 'dora'],
  keys: ['deploys'],
  channels: [],
}
const services = [
  { service: 'payments', environment: 'local' },
  { service: 'basket', environment: 'local' },
]

test('says what belongs to no workspace, and nothing while there is none', () => {
  expect(examineWorkspaces(settings, services)).toEqual([])
  const shop = { ...pay, name: 'shop', services: ['shop'], people: [], channels: ['C0SHOP'] }
  const people = [...settings.people, { id: 'ann', name: 'Ann', roles: ['admin' as const], environments: null, links: [] }]
  const heartbeat = { alert: 'Watchdog', source: null, match: {}, withinSeconds: 600, environment: null, level: 'critical' as const }
  const heartbeats = { ...settings.heartbeats, expected: [{ ...heartbeat, name: 'main' }] }
  expect(
    examineWorkspaces({ ...settings, people, heartbeats, workspaces: [pay, shop] }, services).map(
      ({ status, words }) => `${status}: ${words}`,
    ),
  ).toEqual([
    'ok: pay, shop',
    'warning: pay names dora, who is none of the people of the settings',
    'warning: services of none: basket in local',
    'warning: heartbeats of none: main (alerting path in unknown)',
    'warning: people of none: carol, bob',
    'warning: API keys of none: one without a name',
    'warning: workspaces without a channel: pay: their incidents are in the console only',
  ])
})
