/** '; did you mean "needed"?' for a key that is nearly a known one, else the list of known keys. */
export function suggestionFor(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  if (nearest && nearest.distance <= Math.max(2, Math.floor(key.length / 3))) return `; did you mean "${nearest.candidate}"?`
  return `; known are ${known.join(', ')}`
}

/** Insertions, deletions and replacements that make one text the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  const first = a.slice(0, 60)
  const second = b.slice(0, 60)
  let row = Array.from({ length: second.length + 1 }, (_, i) => i)
  for (let i = 1; i <= first.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= second.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (first[i - 1] === second[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
