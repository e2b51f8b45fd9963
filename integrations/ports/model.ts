import type { DataKind } from '../../agent/domain/model-data.ts'
import type { PersonalKind } from '../../agent/domain/personal-data.ts'

/** What the model may call: a name, what it is for, and the JSON Schema of its input. */
export interface ModelTool {
  name: string
  description: string
  input: Readonly<Record<string, unknown>>
}

/** A call the model asks for. `input` is whatever it said, not checked; undefined when it was no JSON. */
export interface ModelCall {
  id: string
  name: string
  input: unknown
}

/** A turn in the provider's own form, for that provider alone: some want back what they said, unread parts included. */
export interface RawTurn {
  provider: string
  items: unknown
}

export type ModelMessage =
  | { role: 'user'; text: string }
  | { role: 'model'; text: string; calls: readonly ModelCall[]; raw: RawTurn | null }
  | { role: 'results'; results: readonly { call: string; text: string; failed: boolean }[] }

export interface ModelRequest {
  system: string
  /** Begins with a user's; each call of a model's turn is answered in the results that follow it. */
  messages: readonly ModelMessage[]
  tools: readonly ModelTool[]
  maxOutputTokens: number
  signal: AbortSignal
}

/** Tokens as the provider counts them; those it read from a cache are input too. */
export interface ModelUsage {
  input: number
  output: number
}

export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'call'; call: ModelCall }
  /** Always the last. `length`: it was cut off; `refused`: the provider or the model declined. */
  | { type: 'end'; reason: 'done' | 'calls' | 'length' | 'refused'; usage: ModelUsage; raw: RawTurn | null }

/** Dollars for a million tokens. */
export interface ModelPrice {
  input: number
  output: number
}

/** A language model. It reads what it is given and answers; it has no way to anything else. */
export interface ModelPort {
  provider: string
  model: string
  /** The address the words go to. */
  endpoint: string
  /** Null when nobody stated it: then money is not counted. */
  price: ModelPrice | null
  /** What it may be told; the rest stays here. */
  tells: readonly DataKind[]
  /** Of people it is told a mask in place of data of these kinds; whoever asks it sees to that (`agent/investigation/masked-model.ts`). */
  masks: readonly PersonalKind[]
  /** One turn. Nothing is kept between turns. @throws IntegrationError, also when the signal fires or the answer breaks off */
  ask(request: ModelRequest): AsyncIterable<ModelEvent>
}

/** How one provider is reached. */
export interface ModelSettings {
  /** Or what says it at each question, where it may be exchanged meanwhile. */
  apiKey: string | (() => Promise<string>)
  /** Null for the provider's own address. */
  baseUrl: string | null
  /** Null for the adapter's default. */
  model: string | null
  price: ModelPrice | null
  tells: readonly DataKind[]
  masks: readonly PersonalKind[]
}

/** Of one answer, in characters; a model or a server that goes on and on is stopped. */
export const MAX_ANSWER = 60_000
/** For one turn, in milliseconds. */
export const TURN_TIMEOUT_MS = 60_000

/** The input of a call, which a provider sends as text. */
export function parseInput(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
