import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createLocalChanges } from '../../../integrations/local/changes.ts'
import { createDesiredState } from '../../../integrations/local/desired-state.ts'
import { createLogStore } from '../../../integrations/local/logs.ts'
import { createLocalMetrics } from '../../../integrations/local/metrics.ts'
import { scriptedDeps } from './scripted-deps.ts'

const at = (minute: number): Date => new Date(Date.parse('2026-03-14T02:00:00.000Z') + minute * 60_000)

test.each([
  [
    'while a drill is in place, whoever asks about the time before it is told that it was not looked at',
    'bad-release',
    at(10),
    { before: at(20), why: 'a drill began then' },
  ],
  ['who asks about the time since then is told nothing of it', 'bad-release', at(25), undefined],
  ['without a drill everything is shown', null, at(10), undefined],
])('%s', async (_, drill, from, unread) => {
  const deps = scriptedDeps()
  const state = createDesiredState(deps, randomUUID)
  await state.open()
  await state.update((now) => ({ ...now, drill, freshSince: at(20).toISOString() }))
  const window = { service: 'payments', from, to: at(30) }
  const answers = await Promise.all([
    createLocalMetrics({ scrapes: deps.scrapes, state }).read({ ...window, metric: 'error_ratio', stepSeconds: 1 }),
    createLocalChanges({ state }).list({ ...window, services: ['payments'] }),
    createLogStore({ state, now: () => at(0) }).read({ ...window, level: 'all', limit: 10 }),
  ])
  expect(answers.map((answer) => answer.unread)).toEqual([unread, unread, unread])
})
