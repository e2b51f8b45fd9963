/** Longer texts are no slip of anything known, and comparing them costs. */
const LONGEST = 60

/** The known word that looks most like a mistyped one, or null when none is near enough to be meant. */
export function nearest(typed: string, known: readonly string[]): string | null {
  if (typed.length > LONGEST) return null
  const wanted = typed.toLowerCase()
  let best: { word: string; distance: number } | null = null
  for (const word of known) {
    const distance = slips(wanted, word.toLowerCase())
    if (best === null || distance < best.distance) best = { word, distance }
  }
  if (best === null) return null
  const longest = Math.max(typed.length, best.word.length)
  // Two slips are common in a word, but make one short word of another.
  return best.distance <= (longest <= 3 ? 1 : Math.max(2, Math.floor(longest / 3))) ? best.word : null
}

/** What to say to a word that is not known: 'Did you mean "status"?', or all there are. */
export function meantOrKnown(typed: string, known: readonly string[]): string {
  const meant = nearest(typed, known)
  return meant === null ? `There are: ${known.join(', ') || 'none'}.` : `Did you mean "${meant}"?`
}

/** How many letters to add, drop, swap for another, or swap with the next (optimal string alignment). */
function slips(a: string, b: string): number {
  const [first, second] = [[...a], [...b.slice(0, LONGEST)]]
  let before: number[] = []
  let row = Array.from({ length: second.length + 1 }, (_, index) => index)
  for (const [i, letter] of first.entries()) {
    const next = [i + 1]
    for (const [j, other] of second.entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      const isSwapped = i > 0 && j > 0 && letter === second[j - 1] && first[i - 1] === other
      const swapped = isSwapped ? (before[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    before = row
    row = next
  }
  return row.at(-1) ?? 0
}
