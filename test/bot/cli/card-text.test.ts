import { expect, test } from 'vitest'
import { cardLines } from '../../../bot/cli/card-text.ts'
import { approvalCard } from '../../../bot/messages/approval-card.ts'
import { renderBlocks } from '../../../bot/slack/render.ts'
import { anApproval, at, nameOf } from '../../support/builders.ts'

test('a card reads in a terminal as it does in chat, without the marks of its form', () => {
  const card = approvalCard(anApproval(), { now: at(30), whoMay: ['alice', 'carol'], names: nameOf, consoleUrl: 'http://127.0.0.1:7878' })
  const lines = cardLines(renderBlocks(card).blocks.map((block) => ({ ...block })))
  const text = lines.join('\n')
  expect(lines[0]).toBe('Approve? Roll back payments from v42 to v41')
  expect(text).toContain('• version: v42 → v41')
  expect(text).not.toContain('Deny')
  expect(text).toContain('bad_release')
  expect(text).not.toMatch(/<!date|&gt;|&lt;|`|\*/)
})

test('what it does not know is left out', () => {
  expect(cardLines([{ type: 'video' }, { type: 'divider' }, { type: 'section', text: null }, {}])).toEqual(['─'.repeat(40)])
})
