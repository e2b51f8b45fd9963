import { z } from 'zod'
import { INTEGRATION_FAULTS } from '../../integrations/errors.ts'
import type { ModelCall, ModelMessage } from '../../integrations/ports/model.ts'
import { type FaultClass, isFaultClass } from '../domain/fault-classes.ts'
import { costOf, type Spent } from './budget.ts'
import { answerSchema } from './model-answer.ts'
import { checkedSchema, opinionSchema } from './opinion.ts'

const priceSchema = z.object({ input: z.number(), output: z.number() }).nullable()
const callSchema = z.object({ id: z.string(), name: z.string(), input: z.unknown() })
const promptSchema = z.object({ id: z.string(), version: z.int() })
const asked = { provider: z.string(), model: z.string(), price: priceSchema }

/** Why reviewed tools of other servers were not offered, one sentence each. */
const withheld = z.array(z.string()).optional()

/** How an investigation by a model ended. */
export const OUTCOMES = ['concluded', 'stopped', 'invalid', 'unavailable', 'declined'] as const
export type Outcome = (typeof OUTCOMES)[number]

/**
 * Everything that happens in an investigation by a model, in the order it happened: each step is a row before the next one is taken, so that a
 * crash goes on from the rows, and a person can read later what was said, asked and found.
 */
export const stepSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('started'),
    prompts: z.array(promptSchema),
    system: z.string(),
    user: z.string(),
    budget: z.object({ seconds: z.number(), turns: z.number(), calls: z.number(), tokens: z.number(), dollars: z.number() }),
    tells: z.array(z.string()),
    withheld,
  }),
  z.object({ kind: z.literal('resumed'), withheld }),
  /** Written before the model is asked: these tokens are set aside, whatever becomes of the answer. */
  z.object({ kind: z.literal('asked'), ...asked, input: z.number(), output: z.number(), characters: z.number(), last: z.boolean() }),
  z.object({
    kind: z.literal('answered'),
    ...asked,
    text: z.string(),
    calls: z.array(callSchema),
    raw: z.object({ provider: z.string(), items: z.unknown() }).nullable(),
    reason: z.enum(['done', 'calls', 'length', 'refused']),
    usage: z.object({ input: z.number(), output: z.number() }),
  }),
  z.object({ kind: z.literal('failed'), ...asked, code: z.enum(INTEGRATION_FAULTS), words: z.string() }),
  z.object({
    kind: z.literal('result'),
    call: z.string(),
    name: z.string(),
    status: z.enum(['ok', 'empty', 'failed', 'denied', 'repeated', 'refused']),
    labels: z.array(z.string()),
    /** What the model reads. */
    text: z.string(),
    /** What stands for it once there is no room for all of it. */
    short: z.string(),
  }),
  z.object({ kind: z.literal('corrected'), call: z.string().nullable(), problems: z.array(z.string()), text: z.string() }),
  z.object({ kind: z.literal('compacted') }),
  z.object({
    kind: z.literal('ended'),
    outcome: z.enum(OUTCOMES),
    words: z.string(),
    opinion: opinionSchema.nullable(),
    /** What it answered, where it was asked a question. */
    answer: answerSchema.nullish(),
  }),
  /** After its end: what a model of another provider says of the cause that it is surest of. */
  z.object({
    kind: z.literal('reviewed'),
    ...asked,
    prompts: z.array(promptSchema),
    about: z.object({ class: z.string().refine((text): text is FaultClass => isFaultClass(text)), component: z.string() }),
    /** What it was told. */
    user: z.string(),
    /** Null where it gave none that could be used; `words` say why. */
    verdict: z.enum(['agrees', 'disagrees', 'undecided']).nullable(),
    words: z.string(),
    statements: z.array(checkedSchema),
    usage: z.object({ input: z.number(), output: z.number() }),
  }),
])
export type Step = z.infer<typeof stepSchema>

export type StepAt = Step & { at: Date }

/** Where an investigation stands, by its steps alone. */
export interface Transcript {
  started: Extract<Step, { kind: 'started' }> | null
  messages: readonly ModelMessage[]
  /** Calls that are not answered yet. */
  pending: readonly ModelCall[]
  spent: Spent
  /** Questions that were asked, so that none is asked twice: the call in one text, and its result. */
  known: ReadonlyMap<string, string>
  corrections: number
  /** Providers that gave no answer. */
  failed: ReadonlySet<string>
  /** The turn under way: what is set aside for it. */
  open: Extract<Step, { kind: 'asked' }> | null
  /** Characters a token, as the provider counted last; null before. */
  perToken: number | null
  ended: Extract<Step, { kind: 'ended' }> | null
  review: Extract<Step, { kind: 'reviewed' }> | null
  lastAt: Date | null
  /** The model that was asked last. */
  model: { provider: string; model: string } | null
  /** Why its last turn ended. */
  reason: Extract<Step, { kind: 'answered' }>['reason'] | null
  /** What stands for results, once there is no room for all of them. */
  shorts: ReadonlyMap<string, string>
}

export const EMPTY: Transcript = {
  started: null,
  messages: [],
  pending: [],
  spent: { seconds: 0, turns: 0, calls: 0, tokens: 0, dollars: null, repeats: 0 },
  known: new Map(),
  corrections: 0,
  failed: new Set(),
  open: null,
  perToken: null,
  ended: null,
  review: null,
  lastAt: null,
  model: null,
  reason: null,
  shorts: new Map(),
}

export function transcriptOf(steps: readonly StepAt[]): Transcript {
  return steps.reduce(afterStep, EMPTY)
}

/** The same text for the same question, whatever the order of its fields. */
export function questionOf({ name, input }: Pick<ModelCall, 'name' | 'input'>): string {
  const fields = typeof input === 'object' && input !== null ? Object.entries(input).sort(([a], [b]) => (a < b ? -1 : 1)) : [['', input]]
  return `${name} ${JSON.stringify(fields)}`
}

/** Faults after which the provider has read nothing that it counts. */
const NOT_COUNTED: readonly string[] = ['auth', 'permission', 'not_found', 'rate_limited', 'unavailable']

/** One step further. Pure: the same rows give the same standing, in whatever process they are read. */
export function afterStep(before: Transcript, step: StepAt): Transcript {
  const t = withTime(before, step)
  switch (step.kind) {
    case 'started':
      return { ...t, started: step, messages: [{ role: 'user', text: step.user }] }
    case 'resumed':
      return { ...t, open: null }
    case 'asked':
      return { ...t, open: step, spent: charged(t.spent, step, step), model: { provider: step.provider, model: step.model } }
    case 'answered': {
      const spent = charged(refunded(t), step.usage, step)
      const message: ModelMessage = { role: 'model', text: step.text, calls: step.calls, raw: step.raw }
      const perToken = t.open && step.usage.input > 0 ? t.open.characters / step.usage.input : t.perToken
      const said = { pending: step.calls, messages: [...t.messages, message], reason: step.reason }
      return { ...t, ...said, open: null, perToken, spent: { ...spent, turns: spent.turns + 1 } }
    }
    case 'failed':
      return {
        ...t,
        open: null,
        failed: new Set([...t.failed, step.provider]),
        spent: NOT_COUNTED.includes(step.code) ? refunded(t) : t.spent,
      }
    case 'result': {
      const call = t.pending.find(({ id }) => id === step.call)
      const isNew = step.status !== 'repeated' && step.status !== 'refused'
      const known = call && isNew ? new Map([...t.known, [questionOf(call), step.labels.join(', ')]]) : t.known
      const spent = { ...t.spent, calls: t.spent.calls + (isNew ? 1 : 0), repeats: t.spent.repeats + (step.status === 'repeated' ? 1 : 0) }
      const failed = step.status !== 'ok' && step.status !== 'empty'
      return { ...answered(t, step.call, step.text, failed), known, spent, shorts: new Map([...t.shorts, [step.call, step.short]]) }
    }
    case 'corrected':
      return step.call === null
        ? { ...t, corrections: t.corrections + 1, messages: [...t.messages, { role: 'user', text: step.text }] }
        : { ...answered(t, step.call, step.text, true), corrections: t.corrections + 1 }
    case 'compacted':
      return { ...t, messages: compacted(t), shorts: new Map() }
    case 'ended':
      return { ...t, ended: step, pending: [], open: null }
    case 'reviewed':
      // Its cost is its own: the budget is that of the first.
      return { ...t, review: step, spent: before.spent }
  }
}

function withTime(t: Transcript, { at, kind }: StepAt): Transcript {
  // While no process was at it no time was used.
  const passed = t.lastAt === null || kind === 'resumed' ? 0 : Math.max(0, at.getTime() - t.lastAt.getTime()) / 1_000
  return { ...t, lastAt: at, spent: { ...t.spent, seconds: t.spent.seconds + passed } }
}

function charged(spent: Spent, usage: { input: number; output: number }, { price }: { price: z.infer<typeof priceSchema> }): Spent {
  const cost = costOf(usage, price)
  return {
    ...spent,
    tokens: spent.tokens + usage.input + usage.output,
    dollars: cost === null ? spent.dollars : (spent.dollars ?? 0) + cost,
  }
}

/** What was set aside for the turn under way is free again. */
function refunded({ spent, open }: Transcript): Spent {
  if (open === null) return spent
  const back = charged({ ...spent, dollars: 0 }, { input: -open.input, output: -open.output }, open)
  return { ...back, dollars: spent.dollars === null ? null : spent.dollars + (back.dollars ?? 0) }
}

/** Results that the model has read already are told in a line each. */
function compacted({ messages, shorts }: Transcript): ModelMessage[] {
  return messages.map((message, i): ModelMessage => {
    if (message.role !== 'results' || i === messages.length - 1) return message
    return { ...message, results: message.results.map((result) => ({ ...result, text: shorts.get(result.call) ?? result.text })) }
  })
}

/** How many characters compaction would save. */
export function compactable(t: Transcript): number {
  return lengthOf(t.messages) - lengthOf(compacted(t))
}

export function lengthOf(messages: readonly ModelMessage[]): number {
  return JSON.stringify(messages.map((message) => (message.role === 'model' ? (message.raw?.items ?? message) : message))).length
}

function answered(t: Transcript, call: string, text: string, failed: boolean): Transcript {
  const last = t.messages.at(-1)
  const results = [...(last?.role === 'results' ? last.results : []), { call, text, failed }]
  const before = last?.role === 'results' ? t.messages.slice(0, -1) : t.messages
  return { ...t, pending: t.pending.filter(({ id }) => id !== call), messages: [...before, { role: 'results', results }] }
}
