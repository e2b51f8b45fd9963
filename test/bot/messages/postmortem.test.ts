import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openQuestions, postmortemMarkdown } from '../../../bot/messages/postmortem.ts'
import { aHypothesis, anApproval, anIncident, anIncidentView, at } from '../../support/builders.ts'
import { hostileText } from '../../support/hostile-text.ts'

const draft = (...changed: Parameters<typeof anIncidentView>) => postmortemMarkdown(anIncidentView(...changed), at(600))

test('tells facts with times, claims with citations, and lists the evidence', () => {
  const text = draft()
  for (const heading of [
    'Facts',
    'Cause, as diagnosed',
    'What was done',
    'Timeline',
    'Open questions',
    'Lessons and follow-ups',
    'Evidence',
  ])
    expect(text).toContain(`\n## ${heading}\n`)
  expect(text).toContain('a bad release, in service/payments (86 %)')
  expect(text).toContain('- Errors of payments went from 0.2 % to 38 % at 02:08:31. [E1]')
  expect(text).toMatch(/- \[E1\] metrics from .* sha256 [0-9a-f]{12}/)
  expect(text).toMatch(/\| Began \| \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC \|/)
  expect(text).toContain('- [ ] Not known: Whether v41 handles cards issued since the release.')
})

test('of one that is over, findings read as of then, and what was quoted stays', () => {
  const claims = [{ text: 'payments runs v42 now; most often “try now”.', cites: ['E1'], supported: true }]
  const hypotheses = [aHypothesis({ claims })]
  expect(draft({ hypotheses })).toContain('payments runs v42 now')
  const incident = anIncident({ state: 'resolved', endedAt: at(60) })
  expect(draft({ hypotheses, incident })).toContain('payments runs v42 then; most often “try now”.')
})

test('what is not known is asked, never filled in', () => {
  const bare = anIncidentView({
    hypotheses: [],
    approvals: [],
    timeline: [],
    evidence: [],
    incident: anIncident({ state: 'healed', endedAt: at(60) }),
  })
  expect(openQuestions(bare)).toEqual([
    'What was the cause? It is not known from the evidence.',
    'It went away without a verified action: why, and can it come back?',
    'How were users affected, and how many? Only the alert level and the call graph are stored.',
  ])
  expect(postmortemMarkdown(bare, at(600))).toContain('It was not looked into.')
  const unsure = anIncidentView({ hypotheses: [aHypothesis({ claims: [{ text: 'It was the moon.', cites: [], supported: false }] })] })
  expect(openQuestions(unsure)).toContain('Said, but not found in the evidence: It was the moon.')
  expect(postmortemMarkdown(unsure, at(600))).not.toContain('- It was the moon')
})

test('text from outside forms no heading, link, picture, table or HTML', () => {
  fc.assert(
    fc.property(hostileText(400), (said) => {
      const view = anIncidentView({
        incident: anIncident({ title: said, severityReason: said, service: said }),
        approvals: [anApproval({ reason: said })],
      })
      view.timeline = view.timeline.map((event) => ({ ...event, text: said }))
      view.feedback = [{ person: { id: 'x', name: said }, verdict: 'wrong', class: null, component: null, words: said, at: at(0) }]
      const text = postmortemMarkdown(view, at(600))
      expect(text.match(/^#{1,6} /gm)).toHaveLength(9)
      expect(text).not.toMatch(/(?<!\\)<[a-z!/]|(?<!\\)\]\(|(?<!\\)!\[|(?<!\\)@\w|(?<!\\):\/\//i)
      for (const row of text.split('\n').filter((line) => line.startsWith('| '))) expect(row.match(/(?<!\\)\|/g)?.length, row).toBe(3)
      expect(text).not.toContain('\u202e')
    }),
    { numRuns: 200 },
  )
})

test('who broke the target for practice has not begun to look after what came of it', () => {
  const event = (seq: number, kind: string, person: string | null) => ({
    ...{ incidentId: 'INC-1', seq, at: at(seq), kind, text: kind },
    detail: person === null ? {} : { person },
  })
  const started = [event(1, 'drill-started', 'alice'), event(2, 'incident-opened', null)]
  expect(draft({ timeline: started })).toContain('| First action of a person | none |')
  expect(draft({ timeline: [...started, event(40, 'vote-recorded', 'alice')] })).toMatch(/First action of a person \| .*, after \d+ .* \|/)
})
