import { z } from 'zod'

/** What a recording may be: a case of a few thousand answers, none of them endless. */
const MAX_ANSWERS = 5_000
const MAX_TEXT = 400_000

const argsSchema = z.object({
  kind: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().optional(),
  app: z.string().optional(),
  level: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  port: z.union([z.number(), z.string()]).optional(),
  node: z.string().optional(),
  service: z.string().optional(),
  query: z.string().optional(),
})
const answerSchema = z.object({
  tool: z.string(),
  args: argsSchema.default({}),
  text: z.string().transform((text) => text.slice(0, MAX_TEXT)),
})
/** What one read-only tool answered. Args that were not given are absent. */
export type Answer = z.infer<typeof answerSchema>

/** The answers of a recording, one JSON object a line; lines that are not answers are left out and counted. */
export function readAnswers(jsonl: string): { answers: Answer[]; dropped: number } {
  const lines = jsonl.split('\n').filter((line) => line.trim() !== '')
  const answers = lines.slice(0, MAX_ANSWERS).flatMap((line) => {
    const parsed = answerSchema.safeParse(jsonOf(line))
    return parsed.success ? [parsed.data] : []
  })
  return { answers, dropped: lines.length - answers.length }
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
