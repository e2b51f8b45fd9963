/**
 * The share of lines whose group is exactly one group of the truth, no line more and none less (Zhu et al., "Tools and Benchmarks for Automated
 * Log Parsing", ICSE-SEIP 2019).
 */
export function groupingAccuracy(found: readonly (string | number)[], truth: readonly (string | number)[]): number {
  const truths = new Map<string | number, number>()
  const groups = new Map<string | number, { size: number; truths: Set<string | number> }>()
  for (const [line, label] of truth.entries()) {
    truths.set(label, (truths.get(label) ?? 0) + 1)
    const id = found[line] ?? ''
    const group = groups.get(id) ?? { size: 0, truths: new Set() }
    group.size += 1
    group.truths.add(label)
    groups.set(id, group)
  }
  let right = 0
  for (const { size, truths: labels } of groups.values()) {
    const [only] = labels
    if (labels.size === 1 && only !== undefined && truths.get(only) === size) right += size
  }
  return right / truth.length
}
