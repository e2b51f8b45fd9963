import { fits, groupShapes, type Words } from './group-shapes.ts'
import type { LogHeader } from './log-header.ts'
import { shapeOf, VARIABLE } from './log-shape.ts'

/** What lines have in common that say the same. */
export interface LogTemplate {
  /** Stays when other templates turn out to be the same: the earliest keeps its own. */
  id: number
  /** The message with `<*>` for what varies. Text from outside. */
  text: string
  /** Lines seen of it. */
  count: number
}

export interface LogTemplates {
  /** Takes one line, in the order they were written. The ticket says to which template it belongs, also after others were joined to it. */
  add(line: string): LogTicket
  /** The template as it is known now. */
  templateOf(ticket: LogTicket): LogTemplate
  /** All that are kept, in the order they were first seen. */
  templates(): LogTemplate[]
}

export interface LogTicket {
  readonly node: TemplateNode
}

/** A template, or what became part of one. */
interface TemplateNode {
  id: number
  words: Words
  /** Whether anything in it varies. */
  isOpen: boolean
  count: number
  /** Number of the line it was seen in last. */
  seen: number
  joined: TemplateNode | null
  /** Itself as a ticket, so that a line costs no object. */
  ticket: LogTicket
}

const MAX_SHAPES = 8_192
const MAX_TEMPLATES = 2_048
/** Templates are compared with each other again when there are so many new ones and they are this share of all. */
const NEW_AT_LEAST = 64
const NEW_SHARE = 0.5

/**
 * Templates of one source's lines, learned as they come, in bounded memory. A line is brought to its shape in one pass; only shapes that were never
 * seen are compared with anything. What is seen least recently goes when there is no more room.
 */
export function createLogTemplates(header: LogHeader): LogTemplates {
  const shapes = new Map<string, TemplateNode>()
  const byLength = new Map<number, TemplateNode[]>()
  let lines = 0
  let kept = 0
  let fresh = 0
  let nextId = 1

  const place = (shape: string): TemplateNode => {
    const words = shape.split(' ')
    const node = byLength.get(words.length)?.find((template) => isOf(template, words)) ?? addTemplate(words)
    if (shapes.size >= MAX_SHAPES) forgetShapes()
    shapes.set(shape, node)
    return node
  }
  const addTemplate = (words: Words): TemplateNode => {
    if (kept >= MAX_TEMPLATES) forgetTemplates()
    const node = makeNode(nextId, words)
    nextId += 1
    kept += 1
    fresh += 1
    index(node)
    return node
  }
  const index = (node: TemplateNode): void => {
    const list = byLength.get(node.words.length)
    if (list) list.push(node)
    else byLength.set(node.words.length, [node])
  }
  const all = (): TemplateNode[] => [...byLength.values()].flat().toSorted((a, b) => a.id - b.id)
  const keep = (nodes: readonly TemplateNode[]): void => {
    byLength.clear()
    for (const node of nodes) index(node)
    kept = nodes.length
  }
  const join = (): void => {
    const nodes = all()
    fresh = 0
    keep(groupShapes(nodes.map(({ words }) => words)).flatMap(({ words, members }) => joinNodes(words, members, nodes)))
  }
  /** What is still in use finds its way back by its template. */
  const forgetShapes = (): void => {
    for (const shape of [...shapes.keys()].slice(0, MAX_SHAPES / 2)) shapes.delete(shape)
  }
  const forgetTemplates = (): void => {
    join()
    const newest = all().toSorted((a, b) => b.seen - a.seen)
    if (newest.length > MAX_TEMPLATES * NEW_SHARE) keep(newest.slice(0, MAX_TEMPLATES * NEW_SHARE))
    const present = new Set(all())
    for (const [shape, node] of shapes) if (!present.has(rootOf(node))) shapes.delete(shape)
  }

  return {
    add(line) {
      lines += 1
      const shape = shapeOf(line, header.messageStart(line))
      const node = rootOf(shapes.get(shape) ?? place(shape))
      node.count += 1
      node.seen = lines
      if (fresh >= NEW_AT_LEAST && fresh >= NEW_SHARE * kept) join()
      return node.ticket
    },
    templateOf({ node }) {
      const { id, words, count } = rootOf(node)
      return { id, text: words.join(' '), count }
    },
    templates() {
      if (fresh > 0) join()
      return all().map(({ id, words, count }) => ({ id, text: words.join(' '), count }))
    },
  }
}

function makeNode(id: number, words: Words): TemplateNode {
  const node = { id, words, isOpen: words.some(isOpenWord), count: 0, seen: 0, joined: null }
  return Object.assign(node, { ticket: { node } }) as TemplateNode
}

const isOpenWord = (word: string): boolean => word.includes(VARIABLE)

/** Most templates have no gap: they are told apart by their first words. */
function isOf({ words, isOpen }: TemplateNode, shape: Words): boolean {
  return isOpen ? fits(words, shape) : words.every((word, place) => word === shape[place])
}

/** The earliest of them takes the others in. */
function joinNodes(words: Words, members: readonly number[], nodes: readonly TemplateNode[]): TemplateNode[] {
  const [first, ...others] = members.toSorted((a, b) => a - b).flatMap((member) => nodes[member] ?? [])
  if (!first) return []
  first.words = words
  first.isOpen = words.some(isOpenWord)
  for (const other of others) {
    first.count += other.count
    first.seen = Math.max(first.seen, other.seen)
    other.joined = first
  }
  return [first]
}

function rootOf(node: TemplateNode): TemplateNode {
  let root = node
  while (root.joined) root = root.joined
  return root
}
