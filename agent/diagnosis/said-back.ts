import { isOutside } from '../domain/model-data.ts'
import { outsideContentSchema } from './evidence-content.ts'

const WORD = /[^\s"'“”,;()[\]{}]+/gu
const SIGN = /[.*+?^${}()|[\]\\]/g

/**
 * The part of a stored content that can bear out a statement. Of what a server of somebody else answered it is the text without what it was asked with: a
 * model that asks for “v57 fails 99 %”, and is told that nothing is known of “v57 fails 99 %”, has no evidence of it. Pure.
 */
export function citable({ kind, content }: { kind: string; content: unknown }): unknown {
  if (!isOutside(kind)) return content
  const read = outsideContentSchema.safeParse(content)
  // What could not be read bears out nothing.
  return read.success ? { text: read.data.asked.flatMap(madeUp).reduce(without, read.data.text) } : null
}

/** What of a text in a question could be made up: all of it where it is several words, and each word with a digit in it. */
function madeUp(text: string): string[] {
  const words = [...text.matchAll(WORD)].map(([word]) => word)
  return [...(words.length > 1 ? [text] : []), ...words.filter((word) => /\p{N}/u.test(word))]
}

function without(text: string, asked: string): string {
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${asked.trim().replace(SIGN, '\\$&')}(?![\\p{L}\\p{N}])`, 'giu'), ' ')
}
