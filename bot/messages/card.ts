import type { Chart } from '../charts/chart.ts'
import type { Span } from './span.ts'

/** What a button asks for. The surface that received the click maps it to a call of the agent; the value is an opaque id, nothing more. */
export const CARD_ACTIONS = ['approve', 'deny', 'ask', 'keep', 'check-again', 'take', 'resolve', 'snooze', 'feedback'] as const
export type CardAction = (typeof CARD_ACTIONS)[number]

export interface ActionButton {
  readonly action: CardAction
  readonly label: string
  /** Id of the request or incident the click is about. */
  readonly ref: string
  readonly primary: boolean
  /** Left out by a renderer that had to shorten anything on the card: nobody approves what they cannot read. */
  readonly onlyIfWhole: boolean
}

export interface Fact {
  readonly label: string
  readonly value: readonly Span[]
}

export interface ChangedField {
  readonly field: Span
  readonly from: Span
  readonly to: Span
}

/** The closed list of what a card is made of; each platform renders all of them. */
export type CardBlock =
  | { readonly type: 'title'; readonly text: string }
  | { readonly type: 'text'; readonly spans: readonly Span[] }
  /** Short facts, side by side where there is room. */
  | { readonly type: 'facts'; readonly facts: readonly Fact[] }
  | { readonly type: 'list'; readonly title: string; readonly ordered: boolean; readonly items: readonly (readonly Span[])[] }
  /** What a dry run says will change. */
  | { readonly type: 'changes'; readonly title: string; readonly lines: readonly ChangedField[] }
  /** Somebody else's words, set apart and labelled. */
  | { readonly type: 'quote'; readonly label: string; readonly text: string }
  /** Small print. */
  | { readonly type: 'note'; readonly spans: readonly Span[] }
  /** A picture of our own, at an address of our own; `alt` says the same in words. */
  | { readonly type: 'image'; readonly url: string; readonly alt: string }
  | { readonly type: 'divider' }
  | {
      readonly type: 'buttons'
      readonly buttons: readonly ActionButton[]
      /** A page of our own, as a button. */
      readonly open: { readonly label: string; readonly url: string } | null
      /** Behind "more": at most five. */
      readonly more: readonly ActionButton[]
    }

export interface Card {
  readonly kind: 'incident' | 'approval' | 'answer'
  /** Id of the incident or request it shows; empty for an answer. */
  readonly ref: string
  /** Plain text for the notification and for readers that show no blocks; never holds a mention. */
  readonly notification: string
  readonly blocks: readonly CardBlock[]
  /** The incident whose diagnosis an answer tells: where it is shown, people can say whether it was right. */
  readonly judges?: string
  /** What an answer is better looked at than read, for surfaces that draw it themselves. */
  readonly chart?: Chart
  /** Of an answer that is a "no": its code, for programs. */
  readonly refusal?: string
}

export function title(text: string): CardBlock {
  return { type: 'title', text }
}

export function text(spans: readonly Span[]): CardBlock {
  return { type: 'text', spans }
}

export function note(spans: readonly Span[]): CardBlock {
  return { type: 'note', spans }
}

export function image(url: string, alt: string): CardBlock {
  return { type: 'image', url, alt }
}

export function facts(...list: readonly (Fact | null)[]): CardBlock {
  return { type: 'facts', facts: list.filter((fact) => fact !== null) }
}

export function fact(label: string, value: readonly Span[]): Fact {
  return { label, value }
}

/** No block at all when there is nothing to list. */
export function list(heading: string, items: readonly (readonly Span[])[], ordered = false): CardBlock[] {
  return items.length === 0 ? [] : [{ type: 'list', title: heading, ordered, items }]
}

export function button(action: CardAction, label: string, ref: string, form: 'primary' | 'plain' = 'plain'): ActionButton {
  return { action, label, ref, primary: form === 'primary', onlyIfWhole: action === 'approve' }
}

/** No block at all when there is nothing to press. */
export function buttons(
  row: readonly ActionButton[],
  open: { label: string; url: string } | null,
  more: readonly ActionButton[] = [],
): CardBlock[] {
  return row.length + more.length === 0 && open === null ? [] : [{ type: 'buttons', buttons: row, open, more }]
}
