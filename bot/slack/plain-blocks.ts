import type { Card } from '../messages/card.ts'
import { renderBlocks } from './render.ts'

/** A card as the Block Kit that Slack gets, as plain JSON: what the console shows and the HTTP interface answers. */
export function renderPlain(card: Card): { text: string; blocks: Record<string, unknown>[] } {
  const { text, blocks } = renderBlocks(card)
  return { text, blocks: blocks.map((block) => ({ ...block })) }
}
