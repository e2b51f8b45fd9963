import type { IncidentView } from '../../agent/agent.ts'
import { FAULT_CLASSES } from '../../agent/domain/fault-classes.ts'
import type { Claim, ConfidencePart, Hypothesis } from '../../agent/domain/hypothesis.ts'
import { ENDED_STATES } from '../../agent/domain/incident.ts'
import { type CardBlock, list, note, text } from './card.ts'
import { causeWords } from './cause-words.ts'
import { citations } from './evidence-lines.ts'
import { modelBlocks } from './model-lines.ts'
import { asOfThen } from './plain-words.ts'
import { bold, joinSpans, type Span, say, shortCode } from './span.ts'
import { time } from './time-words.ts'
import { cleanText } from './visible-text.ts'

const CLAIMS_SHOWN = 5
const OTHERS_SHOWN = 3
const SENTENCE_MAX = 300

export const PART_WORDS: Readonly<Record<ConfidencePart['name'], string>> = {
  model: 'model',
  validator: 'cross-check',
  retrieval: 'known signs',
  evidence: 'evidence',
}

/** The suspected cause with how sure it is and why, what speaks against it, what is not known, and what else was considered. */
export function diagnosisBlocks(view: IncidentView, consoleUrl: string | null): CardBlock[] {
  const { first, end, others } = causesInOrder(view)
  if (!first) return []
  const isOver = ENDED_STATES.includes(view.incident.state)
  const cite = (claim: Claim): Span[] => claimLine(claim, view, consoleUrl)
  const supported = first.claims.filter((claim) => claim.supported && claim.by !== 'model')
  const added = first.claims.filter((claim) => claim.supported && claim.by === 'model')
  const unconfirmed = first.claims.filter((claim) => !claim.supported)
  return [
    text(causeLine(first)),
    // That nothing is known is not known to a per cent.
    ...(first.class === 'unknown' ? [] : [note(confidenceLine(first))]),
    ...list(
      'How it ended',
      end?.claims
        .filter((claim) => claim.supported)
        .slice(0, CLAIMS_SHOWN)
        .map(cite) ?? [],
    ),
    ...list(isOver ? 'What was known' : 'What is known', supported.slice(0, CLAIMS_SHOWN).map(cite)),
    ...list('A model adds', added.slice(0, OTHERS_SHOWN).map(cite)),
    ...list('Said, but not found in the evidence', unconfirmed.slice(0, 2).map(cite)),
    ...list('Against it', first.against.slice(0, OTHERS_SHOWN).map(cite)),
    ...list(
      'Not known',
      first.unknown.slice(0, OTHERS_SHOWN).map((what) => say`${cleanText(what, SENTENCE_MAX)}`),
    ),
    ...list('Also considered', others.slice(0, OTHERS_SHOWN).map(otherLine)),
    ...modelBlocks(view.model),
  ]
}

const NO_CAUSE: readonly string[] = FAULT_CLASSES.none

/** Once it is over, a cause that was found before stays first: that the trouble went away says nothing about where it came from. */
export function causesInOrder({ incident, hypotheses }: Pick<IncidentView, 'incident' | 'hypotheses'>): {
  first: Hypothesis | undefined
  end: Hypothesis | null
  others: Hypothesis[]
} {
  const [first, ...others] = [...hypotheses].sort((a, b) => a.rank - b.rank)
  const [before, ...rest] = others
  const isEnd = first !== undefined && ENDED_STATES.includes(incident.state) && first.class !== 'unknown' && NO_CAUSE.includes(first.class)
  if (!isEnd || !before || NO_CAUSE.includes(before.class)) return { first, end: null, others }
  return { first: before, end: first, others: rest }
}

function causeLine(hypothesis: Hypothesis): Span[] {
  const since = hypothesis.since ? say`, ${NO_CAUSE.includes(hypothesis.class) ? 'over since' : 'since'} ${time(hypothesis.since)}` : []
  if (hypothesis.class === 'unknown') return say`${bold('Suspected cause')}: not known yet. A guess would not help you.`
  return say`${bold('Suspected cause')}: ${causeWords(hypothesis.class, hypothesis.component)}${since}: ${bold(`${sureWords(hypothesis.confidence)}, ${percent(hypothesis.confidence)}`)}`
}

/** A word for a confidence of 0–100. */
function sureWords(confidence: number): string {
  if (confidence >= 70) return 'likely'
  return confidence >= 40 ? 'possible' : 'uncertain'
}

/** What the number is made of, each part with its score and what it counts; why each part is as it is stands in the console. */
function confidenceLine({ parts, confidence }: Hypothesis): Span[] {
  const weighed = parts.filter((part) => part.weight > 0)
  if (weighed.length === 0) return say`${percent(confidence)}; no parts were given.`
  const model = weighed.some(({ name }) => name === 'model') ? '' : ' (no model)'
  return say`${percent(confidence)}: ${joinSpans(weighed.map(partWords))}${model}`
}

function partWords({ name, score, weight }: ConfidencePart): Span[] {
  return say`${PART_WORDS[name]} ${Math.round(score)} × ${Math.round(weight)} %`
}

/** Behind another cause, one that is not known is a place. */
function otherLine(hypothesis: Hypothesis): Span[] {
  if (hypothesis.class === 'unknown')
    return say`something unknown that began in ${shortCode(hypothesis.component)}: ${percent(hypothesis.confidence)}`
  return say`${causeWords(hypothesis.class, hypothesis.component)}: ${percent(hypothesis.confidence)}`
}

function claimLine(claim: Claim, view: IncidentView, consoleUrl: string | null): Span[] {
  const isOver = ENDED_STATES.includes(view.incident.state) && claim.by !== 'model'
  return say`${cleanText(isOver ? asOfThen(claim.text) : claim.text, SENTENCE_MAX)} ${citations(claim.cites, view, consoleUrl)}`
}

function percent(value: number): string {
  return `${Math.round(Math.min(100, Math.max(0, value)))} %`
}
