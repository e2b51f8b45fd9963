/** A piece of TraceQL in which values from outside are literals only. */
export type TraceQl = string & { readonly traceql: unique symbol }

const ATTRIBUTE_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]*$/

/** A string literal. Whatever is in the text, it ends where this says. */
export function literal(text: string): TraceQl {
  const escaped = text
    .toWellFormed()
    .replace(/["\\]/g, '\\$&')
    .replace(/[\p{Cc}\u2028\u2029]/gu, codeUnit)
  return `"${escaped}"` as TraceQl
}

/** Spans that meet every condition, such as `{ resource.service.name = "payments" && status = error }`. */
export function spansWhere(...conditions: readonly TraceQl[]): TraceQl {
  return `{ ${conditions.join(' && ')} }` as TraceQl
}

/** An attribute of what sent the span. @throws RangeError for a name that is none */
export function resourceIs(name: string, value: string): TraceQl {
  return `${attribute(name)} = ${literal(value)}` as TraceQl
}

export function resourceIsOneOf(name: string, values: readonly string[]): TraceQl {
  const expression = values.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')
  return `${attribute(name)} =~ ${literal(expression)}` as TraceQl
}

export const FAILED = 'status = error' as TraceQl
/** Spans that wait for somebody else's. */
export const CALLING = 'kind = client' as TraceQl

export function tookAtLeast(ms: number): TraceQl {
  return `duration >= ${Math.max(0, Math.round(ms))}ms` as TraceQl
}

function attribute(name: string): string {
  if (!ATTRIBUTE_NAME.test(name)) throw new RangeError('this is no name of an attribute')
  return `resource.${name}`
}

function codeUnit(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}
