import { z } from 'zod'
import type { OutsideAnswer } from '../ports/outside-tools.ts'

const MOST_CHARACTERS = 20_000
const MOST_PARTS = 200

const resultSchema = z.object({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).optional(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
})

/** What a tool answered, as text: pictures, sounds, files and links are counted and not looked at. Pure. @throws ZodError */
export function readAnswer(result: unknown): OutsideAnswer {
  const { content = [], structuredContent, isError = false } = resultSchema.parse(result)
  const parts = content.slice(0, MOST_PARTS)
  const texts = parts.flatMap(({ type, text }) => (type === 'text' && text !== undefined ? [text] : []))
  // A server that answers in fields says the same in text, for those who read no fields.
  const whole = texts.length > 0 || structuredContent === undefined ? texts.join('\n') : JSON.stringify(structuredContent, null, 1)
  return {
    text: whole.slice(0, MOST_CHARACTERS).toWellFormed(),
    omitted: Math.max(0, whole.length - MOST_CHARACTERS),
    unread: content.length - texts.length,
    failed: isError,
  }
}
