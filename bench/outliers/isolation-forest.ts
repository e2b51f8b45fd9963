/**
 * How alone a point stands among others, by how few random cuts part it from them: an isolation forest (Liu, Ting & Zhou, ICDM 2008). A point that
 * is usual in each of its quantities and was never seen in all of them at once stands alone too. Pure; the cuts are random by the given source.
 */
export interface Forest {
  trees: readonly Tree[]
  /** Cuts that part a point of a sample of this size from all others, in the middle. */
  expected: number
}

type Tree = { size: number } | { quantity: number; cut: number; below: Tree; above: Tree }

const TREES = 100
/** Larger samples hide what is odd behind its like. */
const SAMPLE = 256
const EULER = 0.577_215_664_9

/**
 * @param rows points of the same length, all finite; at least two
 * @param random 0 ≤ x < 1
 */
export function growForest(rows: readonly (readonly number[])[], random: () => number): Forest {
  const size = Math.min(SAMPLE, rows.length)
  const deepest = Math.ceil(Math.log2(Math.max(2, size)))
  const trees = Array.from({ length: TREES }, () => grow(sampleOf(rows, size, random), deepest, random))
  return { trees, expected: expectedCuts(size) }
}

/** 0–1: about a half for a point like the others, towards 1 for one that stands alone. O(trees × log sample). */
export function aloneness({ trees, expected }: Forest, point: readonly number[]): number {
  const cuts = trees.reduce((sum, tree) => sum + cutsTo(tree, point), 0) / trees.length
  return 2 ** (-cuts / expected)
}

function grow(rows: (readonly number[])[], depth: number, random: () => number): Tree {
  if (depth === 0 || rows.length < 2) return { size: rows.length }
  const ranges = (rows[0] ?? []).map((_, quantity) => rangeOf(rows, quantity))
  const cuttable = ranges.flatMap(({ low, high }, quantity) => (high > low ? [quantity] : []))
  const quantity = cuttable[Math.floor(random() * cuttable.length)]
  if (quantity === undefined) return { size: rows.length }
  const { low, high } = ranges[quantity] ?? { low: 0, high: 0 }
  const cut = low + random() * (high - low)
  const below = rows.filter((row) => (row[quantity] ?? 0) < cut)
  const above = rows.filter((row) => (row[quantity] ?? 0) >= cut)
  return { quantity, cut, below: grow(below, depth - 1, random), above: grow(above, depth - 1, random) }
}

function rangeOf(rows: readonly (readonly number[])[], quantity: number): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    const value = row[quantity] ?? 0
    if (value < low) low = value
    if (value > high) high = value
  }
  return { low, high }
}

function cutsTo(tree: Tree, point: readonly number[]): number {
  let at = tree
  let cuts = 0
  while (!('size' in at)) {
    at = (point[at.quantity] ?? 0) < at.cut ? at.below : at.above
    cuts += 1
  }
  return cuts + expectedCuts(at.size)
}

/** Of an unsuccessful search in a binary search tree of this size. */
function expectedCuts(size: number): number {
  if (size < 2) return 0
  return size === 2 ? 1 : 2 * (Math.log(size - 1) + EULER) - (2 * (size - 1)) / size
}

function sampleOf<T>(all: readonly T[], size: number, random: () => number): T[] {
  const left = [...all]
  for (let index = 0; index < size; index += 1) {
    const other = index + Math.floor(random() * (left.length - index))
    const [here, there] = [left[index], left[other]]
    if (here !== undefined && there !== undefined) [left[index], left[other]] = [there, here]
  }
  return left.slice(0, size)
}
