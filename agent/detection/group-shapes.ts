import { VARIABLE } from './log-shape.ts'

/** The words of a shape, `<*>` in place of values. */
export type Words = readonly string[]

/** Words in one place are taken for values when there are more of them than this; fewer are taken for what tells templates apart. */
const MOST_WORDS = 4
/** Of the words of a template, at least this share says the same in all its lines. */
const CONSTANT_SHARE = 0.5
const MAX_ROUNDS = 5

export interface Grouped {
  /** What all members have in common, `<*>` elsewhere. */
  words: Words
  /** Places in the list that was given. */
  members: number[]
}

/**
 * Which shapes are one template. First those that differ in one word only, when that word is seen to vary; then, of those of one length, all that
 * cannot be told apart by a place with few words in it (after IPLoM, Makanju et al., 2009, and Brain, Yu et al., 2023).
 */
export function groupShapes(shapes: readonly Words[]): Grouped[] {
  let groups = shapes.map((words, index): Grouped => ({ words, members: [index] }))
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const joined = joinByOneWord(groups)
    if (joined.length === groups.length) break
    groups = joined
  }
  const byLength = Map.groupBy(groups, ({ words }) => words.length)
  return [...byLength.values()].flatMap(partition)
}

/** Whether the words of a shape are those of a template, or values in its places for them. */
export function fits(template: Words, shape: Words): boolean {
  if (template.length !== shape.length || !isMostlyConstant(template)) return false
  return template.every((word, place) => word === shape[place] || isFilledBy(word, shape[place] ?? ''))
}

function joinByOneWord(groups: readonly Grouped[]): Grouped[] {
  const alike = new Map<string, { place: number; of: Grouped[] }>()
  for (const group of groups) {
    for (const place of group.words.keys()) {
      if (!isMostlyConstant(group.words.toSpliced(place, 1, VARIABLE))) continue
      const key = `${place} ${group.words.toSpliced(place, 1, '').join(' ')}`
      const others = alike.get(key)
      if (others) others.of.push(group)
      else alike.set(key, { place, of: [group] })
    }
  }
  const left = new Set(groups)
  for (const { place, of } of alike.values()) {
    const present = of.length > 1 ? of.filter((group) => left.has(group)) : []
    const joined = present.length > 1 ? joinAt(place, present) : null
    if (!joined) continue
    for (const group of present) left.delete(group)
    left.add(joined)
  }
  return [...left]
}

/** Null when the words in this place are more likely to tell templates apart. */
function joinAt(place: number, groups: readonly Grouped[]): Grouped | null {
  const found = groups.map(({ words }) => words[place] ?? '')
  const pattern = found.find((word) => word.includes(VARIABLE) && found.every((other) => isFilledBy(word, other)))
  const [first] = groups
  if (!first || (pattern === undefined && groups.length <= MOST_WORDS)) return null
  return { words: first.words.toSpliced(place, 1, pattern ?? VARIABLE), members: groups.flatMap(({ members }) => members) }
}

const isMostlyConstant = (words: Words): boolean => words.filter((word) => word !== VARIABLE).length >= CONSTANT_SHARE * words.length

/** `chdir(<*>)` is filled by `chdir(pwd)`. */
function isFilledBy(pattern: string, word: string): boolean {
  const gap = pattern.indexOf(VARIABLE)
  if (gap === -1) return false
  const tail = pattern.slice(pattern.lastIndexOf(VARIABLE) + VARIABLE.length)
  return word.length >= gap + tail.length && word.startsWith(pattern.slice(0, gap)) && word.endsWith(tail)
}

function partition(groups: readonly Grouped[]): Grouped[] {
  const [first] = groups
  if (!first) return []
  const places = first.words.map((_, place) => Map.groupBy(groups, ({ words }) => words[place] ?? ''))
  const varying = places.filter((words) => words.size > 1)
  const [fewest] = varying.toSorted((a, b) => a.size - b.size)
  if (!fewest) return [groups.length === 1 ? first : joinAll(groups)]
  const constant = places.filter((words) => words.size === 1 && !words.has(VARIABLE)).length
  if (fewest.size > MOST_WORDS && constant >= CONSTANT_SHARE * (constant + varying.length)) return [joinAll(groups)]
  return [...fewest.values()].flatMap(partition)
}

function joinAll(groups: readonly Grouped[]): Grouped {
  const words = groups[0]?.words.map((word, place) => (groups.every((group) => group.words[place] === word) ? word : VARIABLE)) ?? []
  return { words, members: groups.flatMap(({ members }) => members) }
}
