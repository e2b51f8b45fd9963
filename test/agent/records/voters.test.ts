import { expect, test } from 'vitest'
import type { Decision } from '../../../agent/domain/approval.ts'
import { votersOf } from '../../../agent/records/voters.ts'
import { at, aVote } from '../../support/builders.ts'

const request = (...votes: [person: string, decision: Decision, seconds: number][]) => ({
  createdAt: at(0),
  votes: votes.map(([person, decision, seconds]) => aVote(person, decision, seconds)),
})

test('counts the votes of each person, those cast before anybody could have read, and the wait in the middle', () => {
  const requests = [
    request(['alice', 'approve', 4], ['carol', 'deny', 90]),
    request(['alice', 'approve', 9.9]),
    request(['alice', 'approve', 10]),
    request(['alice', 'deny', 61]),
    request(),
  ]
  expect(votersOf(requests)).toEqual([
    { person: 'alice', name: 'Alice', votes: 4, approved: 3, atAGlance: 2, medianSeconds: 9.9 },
    { person: 'carol', name: 'Carol', votes: 1, approved: 0, atAGlance: 0, medianSeconds: 90 },
  ])
  expect(votersOf([])).toEqual([])
})
