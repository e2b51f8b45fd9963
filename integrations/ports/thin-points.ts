import type { Point } from './metrics.ts'

/** At most about `max` points of a series: of each stretch of time the lowest and the highest stay, in their order. */
export function thinPoints(points: readonly Point[], max: number): Point[] {
  if (points.length <= max) return [...points]
  const size = Math.ceil((2 * points.length) / max)
  const stretches = Array.from({ length: Math.ceil(points.length / size) }, (_, index) => points.slice(index * size, (index + 1) * size))
  return stretches.flatMap((stretch) => {
    const byValue = stretch.toSorted((a, b) => a.value - b.value)
    const extremes = new Set([byValue[0], byValue.at(-1)])
    return stretch.filter((point) => extremes.has(point))
  })
}
