import type { KnownBlock } from '@slack/types'

/** Kinds that not every workspace knows yet. What they say is in words beside them, or behind the overflow menu. */
const NEWEST: readonly KnownBlock['type'][] = ['context_actions', 'plan']

export function withoutNewest(blocks: readonly KnownBlock[]): KnownBlock[] {
  return blocks.filter(({ type }) => !NEWEST.includes(type))
}
