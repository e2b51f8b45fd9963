import { z } from 'zod'
import type { Statement } from '../diagnosis/candidate.ts'
import { FAULT_CLASSES, type FaultClass, isFaultClass } from '../domain/fault-classes.ts'
import type { Claim } from '../domain/hypothesis.ts'
import { oneLine } from './outside-text.ts'

const LONGEST_CLAIM = 300
const LONGEST_QUESTION = 200

export const statementSchema = z.strictObject({
  text: z.string().min(1).max(600),
  cites: z
    .array(z.string().regex(/^E\d{1,9}$/))
    .min(1)
    .max(6),
})
export const saidWords = z.string().min(1).max(400)

/** What the model hands in. Nothing else it says is read by anybody but people who open the trace. */
export const reportSchema = z.strictObject({
  causes: z
    .array(
      z.strictObject({
        class: z.string().max(60),
        component: z.string().max(200),
        confidence: z.int().min(0).max(100),
        claims: z.array(statementSchema).max(6),
        against: z.array(statementSchema).max(4),
        unknown: z.array(saidWords).max(3),
      }),
    )
    .min(1)
    .max(3),
  questions: z.array(saidWords).max(3),
})

/** What whoever is to refute a cause hands in. */
export const reviewSchema = z.strictObject({
  verdict: z.enum(['agrees', 'disagrees', 'undecided']),
  statements: z.array(statementSchema).max(4),
})

/** A statement after the check of what it cites. */
export const checkedSchema = z.object({ text: z.string(), cites: z.array(z.string()), supported: z.boolean() })

/** What a model thinks, with every statement checked: the only thing that leaves its investigation. */
export const opinionSchema = z.object({
  causes: z.array(
    z.object({
      class: z.string().refine((text): text is FaultClass => isFaultClass(text)),
      component: z.string(),
      confidence: z.number(),
      claims: z.array(checkedSchema),
      against: z.array(checkedSchema),
      unknown: z.array(z.string()),
    }),
  ),
  questions: z.array(z.string()),
})
export type Opinion = z.infer<typeof opinionSchema>

export type Conclusion = { ok: true; opinion: Opinion } | { ok: false; problems: string[] }

/** What a report may name, and how its statements are checked. */
export interface ReportFrame {
  components: ReadonlySet<string>
  labels: ReadonlySet<string>
  check(statement: Statement): Claim
}

/** Every class there is, for the description of the report. */
export function classNames(): string {
  return Object.values(FAULT_CLASSES).flat().join(' ')
}

/** A report to an opinion, or what is wrong with it. A statement that is not borne out is no mistake of form: it is kept as such. Pure. */
export function readReport(input: unknown, { components, labels, check }: ReportFrame): Conclusion {
  const parsed = reportSchema.safeParse(input)
  if (!parsed.success)
    return { ok: false, problems: parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`) }
  const { causes, questions } = parsed.data
  const cited = causes.flatMap(({ claims, against }) => [...claims, ...against]).flatMap(({ cites }) => cites)
  const problems = [
    ...causes.flatMap((cause, i) => (isFaultClass(cause.class) ? [] : [`causes.${i}.class is none of the classes`])),
    ...causes.flatMap(({ component }, i) =>
      components.has(component) ? [] : [`causes.${i}.component is none of ${[...components].join(', ')}`],
    ),
    ...[...new Set(cited)].filter((label) => !labels.has(label)).map((label) => `there is no ${label}`),
  ].slice(0, 5)
  if (problems.length > 0) return { ok: false, problems }
  const checked = ({ text, cites }: Statement): Claim => check({ text: modelWords(text, LONGEST_CLAIM), cites: [...new Set(cites)] })
  const opinion: Opinion = {
    causes: causes.map((cause) => ({
      ...{ class: cause.class as FaultClass, component: cause.component, confidence: cause.confidence },
      claims: cause.claims.map(checked),
      against: cause.against.map(checked),
      unknown: cause.unknown.map((each) => modelWords(each, LONGEST_QUESTION)),
    })),
    questions: questions.map((each) => modelWords(each, LONGEST_QUESTION)),
  }
  return { ok: true, opinion }
}

/** Whatever a program could make a link, a mention or a picture of. */
const ACTIVE: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z][a-z0-9+.-]{1,15}:(?=\/\/)\S*/gi, '[address]'],
  [/\bwww\.\S+/gi, '[address]'],
  [/\b(?:mailto|javascript|data|tel):\S+/gi, '[address]'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '[address]'],
  [/[<>]/g, ' '],
  [/(?<![\p{L}\p{N}])[@!]+(?=[\p{L}\p{N}])/gu, ''],
  [/\]\s*\(/g, '] '],
]

/** A model's words as they may be kept and shown: one line, without secrets, addresses and mentions. */
export function modelWords(text: string, max: number): string {
  const plain = ACTIVE.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), oneLine(text, max))
  return plain.replace(/\s+/g, ' ').trim()
}
