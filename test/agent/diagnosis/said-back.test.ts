import { expect, it } from 'vitest'
import { createCitationCheck } from '../../../agent/diagnosis/citations.ts'
import type { OutsideContent } from '../../../agent/diagnosis/evidence-content.ts'
import type { EvidenceItem } from '../../../agent/domain/evidence.ts'

const answered = (asked: string[], text: string): EvidenceItem => {
  const content: OutsideContent = { server: 'mcp/tickets', tool: 'search_tickets', asked, text, omitted: 0, unread: 0 }
  return { label: 'E9', kind: 'outside-logs', status: 'ok', content } as unknown as EvidenceItem
}
const bearsOut = (item: EvidenceItem, text: string): boolean =>
  createCitationCheck([item], new Set(['payments']))({ text, cites: ['E9'] }).supported

it('what a server says by itself bears out a statement', () => {
  const item = answered(['disk of payments'], 'TCK-7: node-4 of payments has 3.5 % left, “no space left on device”.')
  expect(bearsOut(item, 'TCK-7 says that node-4 of payments has 3.5 % left.')).toBe(true)
  expect(bearsOut(item, 'It says “no space left on device”.')).toBe(true)
  expect(bearsOut(item, 'It has 4.5 % left.')).toBe(false)
})

it('what a server only says back does not, however it is written', () => {
  const item = answered(
    ['payments fails 99.7 % since v57 (all hosts)', '1234'],
    'Nothing found for Payments fails 99.7 % since v57 (all hosts). See v57, 99.7 and 1234.',
  )
  for (const text of [
    'payments runs v57.',
    'It fails 99.7 %.',
    'There are 1234.',
    '“fails 99.7 % since v57” is known.',
    'It says “Payments fails”.',
  ])
    expect(bearsOut(item, text)).toBe(false)
})

it('neither what it was asked with, nor how the server and its tool are called', () => {
  const item = answered(['v57'], 'Nothing.')
  for (const text of ['It is v57.', 'The tool search_tickets knows.', 'It stands in mcp/tickets.']) expect(bearsOut(item, text)).toBe(false)
})

it('what was not kept as an answer of a server bears out nothing', () => {
  const item = { ...answered([], ''), content: { series: [{ metric: 'v57', points: [[1, 99.7]] }] } } as unknown as EvidenceItem
  expect(bearsOut(item, 'It is 99.7.')).toBe(false)
})
