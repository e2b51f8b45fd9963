import { z } from 'zod'
import type { Statement } from '../diagnosis/candidate.ts'
import type { Claim } from '../domain/hypothesis.ts'
import { checkedSchema, modelWords, saidWords, statementSchema } from './opinion.ts'

const LONGEST_STATEMENT = 300
const LONGEST_UNKNOWN = 200

/** What the model hands in as its answer. Nothing else it says is read by anybody but people who open the trace. */
export const answerReportSchema = z.strictObject({
  statements: z.array(statementSchema).max(6),
  unknown: z.array(saidWords).max(3),
})

/** What a model answers, with every statement checked. */
export const answerSchema = z.object({ statements: z.array(checkedSchema), unknown: z.array(z.string()) })
export type ModelAnswer = z.infer<typeof answerSchema>

/** An answer as it may be kept, or what is wrong with its form. A statement that is not borne out is no mistake of form: it is kept as such. Pure. */
export function readAnswer(
  input: unknown,
  { labels, check }: { labels: ReadonlySet<string>; check(statement: Statement): Claim },
): { ok: true; answer: ModelAnswer } | { ok: false; problems: string[] } {
  const parsed = answerReportSchema.safeParse(input)
  if (!parsed.success)
    return { ok: false, problems: parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`) }
  const { statements, unknown } = parsed.data
  const missing = [...new Set(statements.flatMap(({ cites }) => cites))].filter((label) => !labels.has(label))
  if (missing.length > 0) return { ok: false, problems: missing.slice(0, 5).map((label) => `there is no ${label}`) }
  const checked = statements.map(({ text, cites }) => check({ text: modelWords(text, LONGEST_STATEMENT), cites: [...new Set(cites)] }))
  return { ok: true, answer: { statements: checked, unknown: unknown.map((each) => modelWords(each, LONGEST_UNKNOWN)) } }
}
