import { redact } from '../redact.ts'
import { type ModelUse, modelUseOf } from './model-use.ts'
import { headAndTail } from './quarantine.ts'
import type { Step, StepAt } from './transcript.ts'

/** One step of an investigation by a model, for people. */
export interface TraceStep {
  /** Within its run, from 1. */
  seq: number
  at: Date
  kind: Step['kind']
  /** What happened, in our words. */
  words: string
  /** What was said, each under what it is: text from outside, or made of it, without secrets. */
  texts: { name: string; text: string }[]
  /** Labels of the evidence it brought. */
  evidence: string[]
}

/** One investigation by a model, every step of it. */
export interface TraceRun {
  /** What it looked into by itself, or what somebody asked it. */
  purpose: 'investigation' | 'question'
  /** Of the incident and the purpose, from 1. */
  number: number
  use: ModelUse | null
  /** What was said is left out: it may hold data of a kind that the reader does not see. */
  withheld: boolean
  steps: TraceStep[]
}

const LONGEST_TEXT = 40_000

/** Rows as people read them: everything that was said, asked, found and decided. What a provider wants back in its own form is left out. */
export function traceOf({
  number,
  purpose,
  withheld,
  steps,
}: Pick<TraceRun, 'number' | 'purpose' | 'withheld'> & { steps: readonly StepAt[] }): TraceRun {
  return {
    number,
    purpose,
    use: modelUseOf(steps),
    withheld,
    steps: steps.map((step, i) => {
      const { words, texts = [], evidence = [] } = describe(step)
      const told = withheld ? [] : texts.filter(({ text }) => text !== '')
      return {
        ...{ seq: i + 1, at: step.at, kind: step.kind, words: redact(words), evidence: [...evidence] },
        texts: told.map(({ name, text }) => ({ name, text: headAndTail(redact(text), LONGEST_TEXT) })),
      }
    }),
  }
}

interface Described {
  words: string
  texts?: { name: string; text: string }[]
  evidence?: readonly string[]
}

const REASONS: Readonly<Record<Extract<Step, { kind: 'answered' }>['reason'], string>> = {
  done: 'and said that it is done',
  calls: 'and asked',
  length: 'and was cut off',
  refused: 'by declining',
}

function describe(step: Step): Described {
  switch (step.kind) {
    case 'started': {
      const { prompts, budget, tells, system, user, withheld = [] } = step
      const versions = prompts.map(({ id, version }) => `${id} ${version}`).join(', ')
      return {
        words: `Began with the prompts ${versions}; may be told ${tells.join(', ') || 'nothing'}; at most ${budget.seconds} s, ${budget.turns} turns, ${budget.calls} questions, ${budget.tokens} tokens.`,
        texts: [
          { name: 'What it is told to do', text: system },
          { name: 'What it is told of the incident', text: user },
          notOffered(withheld),
        ],
      }
    }
    case 'resumed':
      return { words: 'Went on from the rows after a stop.', texts: [notOffered(step.withheld ?? [])] }
    case 'asked':
      return {
        words: `${step.model} (${step.provider}) was asked, with ${step.input + step.output} tokens set aside${step.last ? '; its last turn' : ''}.`,
      }
    case 'answered':
      return {
        words: `${step.model} answered ${REASONS[step.reason]}; ${step.usage.input} tokens read, ${step.usage.output} said.`,
        texts: [
          { name: 'What it said', text: step.text },
          ...step.calls.map(({ name, input }) => ({ name: `It called ${name}`, text: JSON.stringify(input ?? null, null, 2) })),
        ],
      }
    case 'failed':
      return { words: `${step.model} (${step.provider}) gave no answer: ${step.code}.`, texts: [{ name: 'Why', text: step.words }] }
    case 'result':
      return {
        words: `${step.name} came to: ${step.status}.`,
        texts: [{ name: 'What it was told', text: step.text }],
        evidence: step.labels,
      }
    case 'corrected':
      return {
        words: 'Its report could not be used, and it was asked to mend it.',
        texts: [
          { name: 'What is wrong with it', text: step.problems.join('\n') },
          { name: 'What it was told', text: step.text },
        ],
      }
    case 'compacted':
      return { words: 'There was no more room: what it had read already was told in a line each.' }
    case 'reviewed':
      return {
        words: `${step.model} (${step.provider}) was to refute ${step.about.class} of ${step.about.component}: ${step.verdict ?? 'no verdict'}; ${step.usage.input} tokens read, ${step.usage.output} said.`,
        texts: [
          { name: 'What it was told', text: step.user },
          { name: 'Why', text: step.words },
          { name: 'Its statements, each checked', text: step.statements.length > 0 ? JSON.stringify(step.statements, null, 2) : '' },
        ],
      }
    case 'ended':
      return {
        words: `Ended: ${step.outcome}.`,
        texts: [
          { name: 'Why', text: step.words },
          { name: 'Its answer, with every statement checked', text: step.answer ? JSON.stringify(step.answer, null, 2) : '' },
          { name: 'Its opinion, with every statement checked', text: step.opinion ? JSON.stringify(step.opinion, null, 2) : '' },
        ],
      }
  }
}

function notOffered(withheld: readonly string[]): { name: string; text: string } {
  return { name: 'Tools of other servers that it is not offered', text: withheld.join('\n') }
}
