import type { KnownBlock } from '@slack/types'

const MENTIONED = 8

/** Below the first line, so that who it is for is told; nobody else is. */
export function withMentions([title, ...rest]: readonly KnownBlock[], accounts: readonly string[]): KnownBlock[] {
  if (title === undefined || accounts.length === 0) return title === undefined ? [] : [title, ...rest]
  const users = accounts
    .slice(0, MENTIONED)
    .flatMap((id, index) => [...(index === 0 ? [] : [{ type: 'text' as const, text: ' ' }]), { type: 'user' as const, user_id: id }])
  const line: KnownBlock = {
    type: 'rich_text',
    elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'For ' }, ...users] }],
  }
  return [title, line, ...rest]
}
