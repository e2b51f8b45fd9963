/** One place in a function's text, and what stands there instead in a mutant. */
export interface Edit {
  from: number
  to: number
  text: string
  /** What is left out, as it is written. */
  left: string
}

interface Token {
  text: string
  from: number
  to: number
  depth: number
}

const TOKEN = /--[^\n]*|'(?:[^']|'')*'|[A-Za-z_][\w.]*|:=|\S/g
const BEGINS: ReadonlySet<string> = new Set(['where', 'on', 'and', 'or', 'if', 'elsif'])
const ENDS: ReadonlySet<string> = new Set(
  'and or then group order limit union where window returning for loop join left full end ; else'.split(' '),
)
const STATEMENTS: ReadonlySet<string> = new Set(['perform', 'raise', 'insert', 'update', 'execute'])
const AFTER_A_STATEMENT: ReadonlySet<string> = new Set(['begin', 'then', 'else', 'loop', ';'])

/** Words, strings and signs with how many brackets they stand in; comments are left out. */
function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  let depth = 0
  for (const match of source.matchAll(TOKEN)) {
    const text = match[0]
    if (text.startsWith('--')) continue
    if (text === ')') depth -= 1
    tokens.push({ text: text.startsWith("'") ? text : text.toLowerCase(), from: match.index, to: match.index + text.length, depth })
    if (text === '(') depth += 1
  }
  return tokens
}

/** Each operand of an `and` or `or`, and each lone condition of a `where` or `on`, as if it were not there. */
export function withoutConditions(source: string): Edit[] {
  const tokens = tokensOf(source)
  return tokens.flatMap((token, index) => {
    if (!BEGINS.has(token.text) || isPartOfBetween(tokens, index) || tokens[index + 1]?.text === 'conflict') return []
    const last = endOf(tokens, index)
    const after = tokens[last + 1]
    const [begins, ends] = [tokens[index + 1], tokens[last]]
    if (!begins || !ends || last <= index) return []
    const joined = after?.depth === token.depth && (after.text === 'and' || after.text === 'or') ? after.text : token.text
    // An if without its condition is its statements without their if: those are left out on their own.
    if (joined === 'if' || joined === 'elsif') return []
    const left = source.slice(begins.from, ends.to)
    return [{ from: begins.from, to: ends.to, text: joined === 'or' ? 'false' : 'true', left: `${token.text} ${left}` }]
  })
}

/** Each statement that refuses, raises, writes or sets a column, and each refusal that a function returns, as if it were not there. */
export function withoutStatements(source: string): Edit[] {
  const tokens = tokensOf(source)
  return tokens.flatMap((token, index) => {
    const before = tokens[index - 1]?.text ?? 'begin'
    const next = tokens[index + 1]?.text ?? ''
    const wanted = STATEMENTS.has(token.text) || next === ':=' || (token.text === 'return' && next.startsWith("'"))
    if (!wanted || token.depth > 0 || !AFTER_A_STATEMENT.has(before)) return []
    const end = tokens.findIndex(({ text, depth }, place) => place > index && text === ';' && depth === 0)
    const last = tokens[end]
    if (!last) return []
    return [{ from: token.from, to: last.to, text: 'null;', left: source.slice(token.from, last.to) }]
  })
}

function isPartOfBetween(tokens: readonly Token[], index: number): boolean {
  if (tokens[index]?.text !== 'and') return false
  const { depth } = tokens[index]
  for (let place = index - 1; place >= 0; place -= 1) {
    const token = tokens[place]
    if (!token || token.depth < depth) return false
    if (token.depth === depth && token.text === 'between') return true
    if (token.depth === depth && (BEGINS.has(token.text) || ENDS.has(token.text))) return false
  }
  return false
}

/** The last token of the condition that begins after `index`. */
function endOf(tokens: readonly Token[], index: number): number {
  const depth = tokens[index]?.depth ?? 0
  for (let place = index + 1; place < tokens.length; place += 1) {
    const token = tokens[place]
    if (!token || token.depth < depth) return place - 1
    if (token.depth === depth && ENDS.has(token.text) && !isPartOfBetween(tokens, place)) return place - 1
  }
  return tokens.length - 1
}
