/** What is told of as a piece of work, in the order of an alert's path. */
export type SpanName = 'alert' | 'job' | 'investigation' | 'evidence' | 'proposal' | 'execution' | 'execution-step'

/** Ids of our own, and words of closed lists. Never text from outside, never a secret. */
export type SpanAttributes = Readonly<Record<string, string>>

/** Tells somebody who watches how this work goes: what is done, inside what, and for how long. It never changes what is done. */
export interface Trace {
  /** A piece of work, inside the one that is under way. */
  span<T>(name: SpanName, attributes: SpanAttributes, work: () => Promise<T>, outcome?: (value: T) => SpanAttributes): Promise<T>
  /** The same, only inside another: what is done all the time is not told for itself. */
  part<T>(name: SpanName, attributes: SpanAttributes, work: () => Promise<T>, outcome?: (value: T) => SpanAttributes): Promise<T>
}

/** For whoever tells nobody. */
export const NO_TRACE: Trace = {
  span: (_name, _attributes, work) => work(),
  part: (_name, _attributes, work) => work(),
}
