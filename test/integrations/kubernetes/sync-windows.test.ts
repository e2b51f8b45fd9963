import { expect, test } from 'vitest'
import { applicationSchema } from '../../../integrations/kubernetes/argocd/application.ts'
import { projectSchema, windowObjection } from '../../../integrations/kubernetes/argocd/sync-windows.ts'
import { applicationOf } from '../../support/kubernetes/argocd-shop.ts'

/** A Sunday. */
const NOW = new Date('2026-03-01T10:42:30Z')
const shop = applicationSchema.parse(applicationOf())

function said(...windows: object[]): string | null {
  const { spec } = projectSchema.parse({ spec: { syncWindows: windows } })
  return windowObjection(spec.syncWindows, shop, NOW)
}

const deny = (schedule: string, duration = '1h', more: object = {}) => ({ kind: 'deny', schedule, duration, applications: ['*'], ...more })
const allow = (schedule: string, duration = '1h', more: object = {}) => ({ ...deny(schedule, duration, more), kind: 'allow' })

test.each([
  ['every minute', '* * * * *', '1m'],
  ['since 10', '0 10 * * *', '1h'],
  ['since yesterday', '0 22 * * 6', '13h'],
  ['in parts', '0 10 * * *', '30m900s'],
  ['on a day by its name', '0 10 * * sun', '1h'],
  ['in a range with steps', '0 8-12/2 * mar *', '1h'],
  ['from a minute on', '42/5 10 * * *', '1m'],
  ['on this day of the month or on Mondays', '0 10 1 * 1', '1h'],
  ['on Sundays or on the 15th', '0 10 15 * 0', '1h'],
  ['in a list', '0,40 3,10 * * *', '5m'],
])('a window that began %s is open', (_, schedule, duration) => {
  expect(said(deny(schedule, duration))).toMatch(/^the sync window "deny .*" of its project denies syncs now$/)
  expect(said(allow(schedule, duration))).toBeNull()
})

test.each([
  ['ended', '0 9 * * *', '1h42m'],
  ['begins later', '43 10 * * *', '1h'],
  ['is of another day', '0 10 * * 1-6', '1h'],
  ['is of another day of the month and of the week', '0 10 15 * 1', '1h'],
  ['is of another month', '0 10 * 4 *', '1h'],
  ['would be of every other day', '0 10 */2 * 1', '1h', 'open'],
])('a window that %s is closed', (_, schedule, duration, really = 'closed') => {
  expect(said(deny(schedule, duration)) === null).toBe(really === 'closed')
  expect(said(allow(schedule, duration)) === null).toBe(really !== 'closed')
})

test('a schedule is of the clock of its time zone', () => {
  expect(said(deny('0 16 * * *', '30m', { timeZone: 'Asia/Kolkata' }))).toContain('denies syncs now')
  expect(said(deny('0 5 * * *', '1h', { timeZone: 'America/New_York' }))).toContain('denies syncs now')
  expect(said(deny('0 10 * * *', '1h', { timeZone: 'America/New_York' }))).toBeNull()
})

test.each([
  ['no schedule', deny('@daily')],
  ['too few fields', deny('* * * *')],
  ['a day that there is not', deny('0 10 * * 7')],
  ['no duration', deny('0 9 * * *', 'an hour')],
  ['a year', deny('0 9 * * *', '8760h')],
  ['no such zone', deny('0 9 * * *', '1h', { timeZone: 'Mars/Base' })],
  ['another kind', { ...deny('0 9 * * *'), kind: 'maybe' }],
  ['a pattern with more signs', allow('* * * * *', '1h', { applications: ['sh{op,ops}'] })],
])('what cannot be understood stands against it: %s', (_, window) => {
  expect(said(window)).toContain('it is not known whether a sync window denies it')
})

test('only windows that are meant for the application count', () => {
  const always = (more: object) => said(deny('* * * * *', '1h', { applications: [], ...more }))
  expect(always({ applications: ['shop'] })).not.toBeNull()
  expect(always({ applications: ['s?o*'] })).not.toBeNull()
  expect(always({ namespaces: ['sh*'] })).not.toBeNull()
  expect(always({ clusters: ['https://kubernetes.default.*'] })).not.toBeNull()
  expect(always({})).toBeNull()
  expect(always({ applications: ['shops', 'hop'], namespaces: ['other'], clusters: ['prod'] })).toBeNull()
  expect(always({ applications: ['shop'], namespaces: ['other'], andOperator: true })).toBeNull()
  expect(always({ applications: ['shop'], namespaces: ['shop'], andOperator: true })).not.toBeNull()
  expect(always({ applications: [`${'*a'.repeat(200)}b`] })).toBeNull()
})

test('one window that lets it sync is enough, none that denies is allowed beside it, and by hand is for people', () => {
  expect(said()).toBeNull()
  expect(said(allow('0 3 * * *'), allow('0 10 * * *'))).toBeNull()
  expect(said(allow('0 10 * * *'), deny('0 10 * * *'))).toContain('denies')
  expect(said(allow('0 3 * * *'))).toBe('its project lets it sync only in the window "allow 0 3 * * * for 1h", which is closed')
  expect(said(deny('0 10 * * *', '1h', { manualSync: true }))).toContain('lets people sync by hand: argocd app sync')
})
