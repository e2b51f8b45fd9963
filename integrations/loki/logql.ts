/** A piece of LogQL in which values from outside are literals only. */
export type LogQl = string & { readonly logql: unique symbol }

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** A string literal. Whatever is in the text, it ends where this says. */
export function literal(text: string): LogQl {
  const escaped = text
    .toWellFormed()
    .replace(/["\\]/g, '\\$&')
    .replace(/[\p{Cc}\u2028\u2029]/gu, codeUnit)
  return `"${escaped}"` as LogQl
}

/** A stream selector such as `{app="payments",namespace=~"shop|pay"}`. @throws RangeError for a name of a label that is none */
export function streams(equal: Readonly<Record<string, string>>, oneOf: Readonly<Record<string, readonly string[]>>): LogQl {
  const exact = Object.entries(equal).map(([label, value]) => `${labelName(label)}=${literal(value)}`)
  const some = Object.entries(oneOf)
    .filter(([, values]) => values.length > 0)
    .map(([label, values]) => `${labelName(label)}=~${literal(values.map(asExpression).join('|'))}`)
  return `{${[...exact, ...some].join(',')}}` as LogQl
}

/** Lines in which this expression (a fixed one) is found. */
export function containing(selected: LogQl, expression: string): LogQl {
  return `${selected} |~ ${literal(expression)}` as LogQl
}

function asExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function labelName(label: string): string {
  if (!LABEL_NAME.test(label)) throw new RangeError('this is no name of a label')
  return label
}

function codeUnit(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}
