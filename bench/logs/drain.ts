/**
 * Drain (He et al., ICWS 2017) with its published parameters (depth 4, similarity 0.4, at most 100 children), as a peer to measure against:
 * a tree by length and first words, then the most similar group of the leaf. Words with a digit are values in the tree.
 */
export interface Drain {
  /** The number of the line's group. */
  add(message: string): number
  template(group: number): string
}

interface Group {
  id: number
  words: string[]
}

const DEPTH = 4
const SIMILARITY = 0.4
const MAX_CHILDREN = 100
const ANY = '<*>'

interface Node {
  children: Map<string, Node>
  groups: Group[]
}

const makeNode = (): Node => ({ children: new Map(), groups: [] })

export function createDrain(): Drain {
  const root = makeNode()
  const groups: Group[] = []
  return {
    add(message) {
      const words = message.trim().split(/\s+/)
      const leaf = descend(root, words)
      const found = mostSimilar(leaf.groups, words)
      if (found) {
        found.words = found.words.map((word, place) => (word === words[place] ? word : ANY))
        return found.id
      }
      const group = { id: groups.length, words }
      groups.push(group)
      leaf.groups.push(group)
      return group.id
    },
    template: (group) => groups[group]?.words.join(' ') ?? '',
  }
}

function descend(root: Node, words: readonly string[]): Node {
  let node = childOf(root, String(words.length), Number.POSITIVE_INFINITY)
  for (const word of words.slice(0, DEPTH - 2)) node = childOf(node, /\d/.test(word) ? ANY : word, MAX_CHILDREN)
  return node
}

function childOf(node: Node, word: string, most: number): Node {
  const key = node.children.has(word) || node.children.size < most - 1 ? word : ANY
  const child = node.children.get(key) ?? makeNode()
  node.children.set(key, child)
  return child
}

function mostSimilar(groups: readonly Group[], words: readonly string[]): Group | null {
  let best: Group | null = null
  let most = SIMILARITY
  for (const group of groups) {
    const same = group.words.filter((word, place) => word === words[place]).length / words.length
    if (same >= most) [best, most] = [group, same]
  }
  return best
}
