import { cleanText, cutText, exactText, exactWords } from './visible-text.ts'

/** A stretch of a line. `text` is always plain: only these constructors give it a form, and what is inside it never does. */
export type Span =
  | { readonly type: 'text' | 'bold' | 'code'; readonly text: string }
  /** `url` is one of our own pages, or of a source that the operator configured; never one that came with data. */
  | { readonly type: 'link'; readonly text: string; readonly url: string }
  /** A moment, shown in the reader's time zone where the platform can; `words` elsewhere. A deadline counts down where it can. */
  | { readonly type: 'moment'; readonly at: string; readonly style: MomentStyle; readonly words: string }

export type MomentStyle = 'time' | 'day-time' | 'deadline'

export type Sayable = string | number | Span | readonly Span[]

const LOOKS_LIKE_OTHER = /^(-?\d+|true|false|null|".*"|)$/s

/** A line: the literal parts are our words, each string put in is cleaned as text from outside, spans are taken as they are. */
export function say(parts: TemplateStringsArray, ...values: readonly Sayable[]): Span[] {
  const spans = parts.flatMap((part, index) => {
    const value = values[index]
    const ours: Span[] = part === '' ? [] : [{ type: 'text', text: part }]
    return value === undefined ? ours : [...ours, ...spansOf(value)]
  })
  return mergeText(spans)
}

export function bold(text: string): Span {
  return { type: 'bold', text: cleanText(text) }
}

/** A name, id or value, each character as it is. */
export function code(text: string): Span {
  return { type: 'code', text: text === '' ? '""' : exactText(text) }
}

/** A value of a plan: text that could be taken for a number, a truth value or nothing is quoted, so that 2 and "2" look different. */
export function scalar(value: string | number | boolean | null): Span {
  if (typeof value !== 'string') return { type: 'code', text: String(value) }
  return { type: 'code', text: LOOKS_LIKE_OTHER.test(value) ? `"${exactText(value)}"` : exactText(value) }
}

/** A name in a line that may be cut: for cards that inform, not for what people approve. */
export function shortCode(text: string, max = 60): Span {
  return { type: 'code', text: cutText(text === '' ? '""' : exactText(text.slice(0, max * 2)), max) }
}

/** A sentence of a plan: nothing is dropped or cut, see `exactWords`. */
export function exact(text: string): Span {
  return { type: 'text', text: exactWords(text) }
}

export function link(text: string, url: string): Span {
  return { type: 'link', text: cleanText(text, 200), url }
}

/** Several lines of spans as one, with `separator` between them. */
export function joinSpans(lines: readonly (readonly Span[])[], separator = ', '): Span[] {
  return mergeText(lines.flatMap((line, index) => (index === 0 ? line : [{ type: 'text', text: separator }, ...line])))
}

/** The line without its form, for notifications, tests and places that show plain text only. */
export function plainOf(spans: readonly Span[]): string {
  return spans.map((span) => (span.type === 'moment' ? span.words : span.text)).join('')
}

function spansOf(value: Sayable): Span[] {
  if (typeof value === 'number') return [{ type: 'text', text: String(value) }]
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: cleanPart(value) }]
  return isSpan(value) ? [value] : [...value]
}

/** A part of a line keeps the space that sets it apart from its neighbours. */
function cleanPart(text: string): string {
  return `${/^\s/.test(text) ? ' ' : ''}${cleanText(text)}${/\S\s+$/.test(text) ? ' ' : ''}`
}

function isSpan(value: Span | readonly Span[]): value is Span {
  return !Array.isArray(value)
}

function mergeText(spans: readonly Span[]): Span[] {
  const merged: Span[] = []
  for (const span of spans) {
    const last = merged.at(-1)
    if (span.type === 'text' && last?.type === 'text') merged[merged.length - 1] = { type: 'text', text: last.text + span.text }
    else if (span.type !== 'text' || span.text !== '') merged.push(span)
  }
  return merged
}
