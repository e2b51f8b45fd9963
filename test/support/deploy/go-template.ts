import { createHash } from 'node:crypto'
import { stringify } from 'yaml'

/**
 * The part of Helm's template language that this project's chart uses, and not one function more: whatever else stands in a template is an error. A
 * value that is not there is null, as Helm has it; a field of something that is not there is an error, which Helm too reports.
 */
export function renderTemplates(files: Readonly<Record<string, string>>, root: Scope): Record<string, string> {
  const defined = new Map<string, Node[]>()
  const parsed = Object.entries(files).map(([name, text]) => [name, parse(text, name, defined)] as const)
  const rendered = parsed.map(([name, nodes]) => [name, render(nodes, new Map([['$', root]]), root, defined)] as const)
  return Object.fromEntries(rendered.filter(([name]) => name.endsWith('.yaml')))
}

// biome-ignore lint/suspicious/noExplicitAny: values of a template have whatever type their YAML has
type Value = any
type Scope = Readonly<Record<string, unknown>>
type Variables = Map<string, Value>

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; code: string }
  | { kind: 'set'; name: string; code: string }
  | { kind: 'if'; code: string; yes: Node[]; no: Node[] }
  | { kind: 'range'; name: string; code: string; body: Node[] }

const TAG = /\{\{(-?)\s*(\/\*[\s\S]*?\*\/|[\s\S]*?)\s*(-?)\}\}/g

interface Token {
  text?: string
  code?: string
}

function tokens(source: string): Token[] {
  const found: Token[] = []
  let [at, trims] = [0, false]
  const text = (to: number, trimEnd: boolean): void => {
    let piece = source.slice(at, to)
    if (trims) piece = piece.trimStart()
    found.push({ text: trimEnd ? piece.trimEnd() : piece })
  }
  for (const match of source.matchAll(TAG)) {
    text(match.index, match[1] === '-')
    found.push({ code: match[2] ?? '' })
    at = match.index + match[0].length
    trims = match[3] === '-'
  }
  text(source.length, false)
  return found
}

function parse(source: string, file: string, defined: Map<string, Node[]>): Node[] {
  const all = tokens(source)
  const block = (ends: readonly string[]): { nodes: Node[]; end: string } => {
    const nodes: Node[] = []
    for (let token = all.shift(); token; token = all.shift()) {
      const { text, code = '' } = token
      if (text !== undefined) nodes.push({ kind: 'text', text })
      else if (code.startsWith('/*')) continue
      else if (code === 'end' || code === 'else') {
        if (ends.includes(code)) return { nodes, end: code }
        throw new Error(`${file}: "${code}" where nothing ends`)
      } else nodes.push(...statement(code))
    }
    if (ends.length > 0) throw new Error(`${file}: a block does not end`)
    return { nodes, end: '' }
  }
  const statement = (code: string): Node[] => {
    const [, word, rest = ''] = /^(if|range|define)\s+([\s\S]*)$/.exec(code) ?? []
    if (word === 'if') {
      const { nodes, end } = block(['else', 'end'])
      return [{ kind: 'if', code: rest, yes: nodes, no: end === 'else' ? block(['end']).nodes : [] }]
    }
    if (word === 'range') {
      const [, name = '', list = ''] = /^(\$\w+)\s*:=\s*([\s\S]+)$/.exec(rest) ?? []
      if (name === '') throw new Error(`${file}: a range without a name: ${rest}`)
      return [{ kind: 'range', name, code: list, body: block(['end']).nodes }]
    }
    if (word === 'define') {
      defined.set(JSON.parse(rest), block(['end']).nodes)
      return []
    }
    const [, name, value = ''] = /^(\$\w+)\s*:?=\s*([\s\S]+)$/.exec(code) ?? []
    return [name === undefined ? { kind: 'print', code } : { kind: 'set', name, code: value }]
  }
  return block([]).nodes
}

function render(nodes: readonly Node[], variables: Variables, dot: Value, defined: Map<string, Node[]>): string {
  const value = (code: string): Value => evaluate(code, variables, dot, defined)
  const inner = (body: readonly Node[], extra: [string, Value][] = []): string => {
    const own = new Map([...variables, ...extra])
    const text = render(body, own, dot, defined)
    // A variable that stood outside before is changed there; one that is new ends with the block.
    for (const name of variables.keys()) if (!extra.some(([each]) => each === name)) variables.set(name, own.get(name))
    return text
  }
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text
      if (node.kind === 'print') return asText(value(node.code))
      if (node.kind === 'if') return inner(isTrue(value(node.code)) ? node.yes : node.no)
      if (node.kind === 'range') return (value(node.code) ?? []).map((each: Value) => inner(node.body, [[node.name, each]])).join('')
      variables.set(node.name, value(node.code))
      return ''
    })
    .join('')
}

const WORD = /\s*("(?:[^"\\]|\\.)*"|\(|\)|\||\$?[\w.]+|\$)/y

function evaluate(code: string, variables: Variables, dot: Value, defined: Map<string, Node[]>): Value {
  const words: string[] = []
  WORD.lastIndex = 0
  while (WORD.lastIndex < code.trimEnd().length) {
    const at = WORD.lastIndex
    const match = WORD.exec(code)
    if (!match) throw new Error(`cannot be read: ${code.slice(at)}`)
    words.push(match[1] ?? '')
  }
  const pipeline = (): Value => {
    let result = command([])
    while (words[0] === '|') {
      words.shift()
      result = command([result])
    }
    return result
  }
  const command = (piped: Value[]): Value => {
    const first = words[0] ?? ''
    const named = FUNCTIONS[first] ?? (first === 'include' ? include : undefined)
    if (!named) {
      if (piped.length > 0) throw new Error(`there is no function ${first} in this subset`)
      return operand()
    }
    words.shift()
    const given: Value[] = []
    while (words.length > 0 && words[0] !== ')' && words[0] !== '|') given.push(operand())
    return named(...given, ...piped)
  }
  const operand = (): Value => {
    const word = words.shift() ?? ''
    if (word === '(') {
      const result = pipeline()
      if (words.shift() !== ')') throw new Error(`a bracket is not closed: ${code}`)
      return result
    }
    if (word.startsWith('"')) return JSON.parse(word)
    if (/^\d+$/.test(word)) return Number(word)
    if (word === 'true' || word === 'false') return word === 'true'
    const [head = '', ...path] = word.split('.')
    if (head !== '' && !variables.has(head)) throw new Error(`there is no function or variable ${word} in this subset`)
    const start = head === '' ? dot : variables.get(head)
    return path
      .filter((step) => step !== '')
      .reduce((from: Value, step) => {
        if (from === null || from === undefined) throw new Error(`${word}: nothing there to have a ${step}`)
        return from[step] ?? null
      }, start)
  }
  const include = (name: string, context: Value): string => {
    const nodes = defined.get(name)
    if (!nodes) throw new Error(`there is no template ${name}`)
    return render(nodes, new Map([['$', context]]), context, defined)
  }
  return pipeline()
}

const isTrue = (value: Value): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== null && typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value)

const asText = (value: Value): string => (value === null || value === undefined ? '' : String(value))

const FUNCTIONS: Readonly<Record<string, (...given: Value[]) => Value>> = {
  and: (...given) => given.find((each) => !isTrue(each)) ?? given.at(-1),
  or: (...given) => given.find(isTrue) ?? given.at(-1),
  not: (value) => !isTrue(value),
  ne: (a, b) => a !== b,
  empty: (value) => !isTrue(value),
  ternary: (yes, no, which) => (which ? yes : no),
  default: (fallback, value) => (isTrue(value) ? value : fallback),
  required: (words, value) => {
    if (!isTrue(value)) throw new Error(words)
    return value
  },
  list: (...given) => given,
  append: (list, value) => [...list, value],
  has: (value, list) => list.includes(value),
  dict: (...given) => Object.fromEntries(given.flatMap((key, i) => (i % 2 === 0 ? [[key, given[i + 1]]] : []))),
  index: (from, key) => from[key] ?? null,
  splitList: (separator, text) => text.split(separator),
  printf: (format, ...given) => format.replace(/%[sd]/g, () => asText(given.shift())),
  quote: (value) => JSON.stringify(asText(value)),
  toJson: (value) => JSON.stringify(value),
  toYaml: (value) => stringify(value).trimEnd(),
  nindent: (width, text) => `\n${text.replace(/^/gm, ' '.repeat(width))}`,
  sha256sum: (text) => createHash('sha256').update(text).digest('hex'),
}
