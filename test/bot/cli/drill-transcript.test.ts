import { expect, test } from 'vitest'
import { waitingFor } from '../../../bot/cli/drill-transcript.ts'

const FAILED_AT = '2026-03-14T02:10:46.000Z'
const line = (kind: string, at = FAILED_AT) => ({ seq: 1, at, kind, text: '', detail: {} })
const waiting = (kinds: string[], secondsAfter: number): string =>
  waitingFor(
    { approvals: ['a'] },
    { id: 'inc-1', state: 'verifying', endedAt: null, timeline: kinds.map((kind) => line(kind)) },
    { people: null, api: { url: 'http://127.0.0.1:1' }, now: () => new Date(Date.parse(FAILED_AT) + secondsAfter * 1_000) },
  )

test.each([
  [['execution-sent', 'execution-succeeded'], 3, 'verifying from telemetry'],
  [['execution-succeeded', 'execution-failed'], 0, 'did not help; will be undone in 60 s unless somebody presses Keep'],
  [['execution-failed', 'state-changed'], 12.5, 'did not help; will be undone in 48 s unless somebody presses Keep'],
  [['execution-failed'], 61, 'did not help; it is being undone'],
  [['execution-failed', 'execution-claimed'], 61, 'verifying from telemetry'],
])('after %j, %d s later: %s', (kinds, seconds, words) => {
  expect(waiting(kinds, seconds)).toBe(words)
})
