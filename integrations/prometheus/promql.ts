/** A piece of PromQL that was put together from fixed text and literals: values from outside enter as literals only. */
export type PromQl = string & { readonly promql: unique symbol }

/** A string literal. Whatever is in the text, it ends where this says. */
export function literal(text: string): PromQl {
  const escaped = text
    .toWellFormed()
    .replace(/["\\]/g, '\\$&')
    .replace(/[\p{Cc}\u2028\u2029]/gu, codeUnit)
  return `"${escaped}"` as PromQl
}

/** A literal of a regular expression that matches names made of this one, a dash and more: what a workload's pods are called. */
export function podsOf(workload: string): PromQl {
  return literal(`${workload.toWellFormed().replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}-.+`)
}

/** Puts literals into fixed text: anything else that is put in is refused by the types, and by a check where there were none. */
export function promql(strings: TemplateStringsArray, ...parts: readonly (PromQl | number)[]): PromQl {
  return strings.reduce((text, fixed, index) => `${text}${fixed}${part(parts[index])}`, '') as PromQl
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** A selector such as `http_requests_total{service="payments"}`. @throws RangeError for a name that is none */
export function selector(metric: string, matchers: Readonly<Record<string, PromQl>>, ...more: readonly PromQl[]): PromQl {
  if (!METRIC_NAME.test(metric)) throw new RangeError('this is no name of a metric')
  const equal = Object.entries(matchers).map(([label, value]) => `${labelName(label)}=${value}`)
  return `${metric}{${[...equal, ...more].join(',')}}` as PromQl
}

/** A matcher by regular expression, for the inside of a selector. */
export function matches(label: string, expression: PromQl): PromQl {
  return `${labelName(label)}=~${expression}` as PromQl
}

/** A query of the operator's own: names such as `$service` in it stand for whole literals. */
export function fillTemplate(template: string, values: Readonly<Record<string, PromQl>>): PromQl {
  return template.replace(/\$([a-z_]+)/g, (whole, name: string) => values[name] ?? whole) as PromQl
}

function labelName(label: string): string {
  if (!LABEL_NAME.test(label)) throw new RangeError('this is no name of a label')
  return label
}

function part(value: PromQl | number | undefined): string {
  return value === undefined ? '' : String(value)
}

function codeUnit(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}
