import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Card } from '../messages/card.ts'
import { linesOf } from '../messages/card-size.ts'
import { plainOf } from '../messages/span.ts'
import { withoutUnseen } from '../messages/visible-text.ts'
import { fitsWhole } from './render.ts'

/** All that a card says, for who needs the part that a message has no room for. */
export interface WholeText {
  /** Of the file; the same for the same thing. */
  name: string
  title: string
  text: string
}

export const wholeTextSchema: z.ZodType<WholeText> = z.object({ name: z.string(), title: z.string(), text: z.string() })

/** It is stored until it is shown: a row takes 128 KiB, and JSON may write each byte as two. */
const LONGEST_BYTES = 60_000
const MORE = '\n… The rest is in the console.'

/**
 * Null for a card that fits into a message whole, as nearly all do.
 *
 * @param ref what the card is of; the same ref makes the same file, by which it is found again after a crash
 */
export function overflowOf(card: Card, ref: string): WholeText | null {
  if (fitsWhole(card)) return null
  const lines = card.blocks
    .filter(({ type }) => type !== 'buttons')
    .map((block) => linesOf(block).map((spans) => withoutUnseen(plainOf(spans))))
  const text = bounded(lines.map((block) => block.join('\n')).join('\n\n'))
  return { name: `steadyhand-${createHash('sha256').update(ref).digest('hex').slice(0, 12)}.txt`, title: 'In full', text }
}

function bounded(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.byteLength <= LONGEST_BYTES) return text
  // Never half of a character.
  return `${bytes
    .subarray(0, LONGEST_BYTES)
    .toString()
    .replace(/\ufffd+$/, '')}${MORE}`
}
