const TICKS = 4

export interface Scale {
  low: number
  high: number
  ticks: number[]
}

const LEAST = 1e-9
const MOST = 1e15

/** A number an axis can hold: what is smaller than anything measured is zero, what is larger is cut. */
export function drawable(value: number): number {
  return Math.abs(value) < LEAST ? 0 : Math.max(-MOST, Math.min(MOST, value))
}

/** Round numbers that hold all values, from zero where that is near. */
export function niceScale(values: readonly number[], unit: string): Scale {
  const finite = values.filter(Number.isFinite).map(drawable)
  const least = Math.min(...finite, unit === '' ? Number.POSITIVE_INFINITY : 0)
  const most = Math.max(...finite)
  if (!Number.isFinite(least) || !Number.isFinite(most)) return { low: 0, high: 1, ticks: [0, 1] }
  const low = least >= 0 && least < most * 0.7 ? 0 : least
  const step = niceStep(most === low ? Math.abs(most) || 1 : most - low)
  const [first, last] = [Math.floor(low / step), Math.max(Math.ceil(most / step), Math.floor(low / step) + 1)]
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
  return { low: first * step, high: last * step, ticks }
}

/** 1, 2 or 5 times a power of ten, for about four steps. */
function niceStep(range: number): number {
  const rough = range / TICKS
  const power = 10 ** Math.floor(Math.log10(rough))
  const share = rough / power
  return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power
}

const STEPS_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600]

/** Whole moments for the time axis, at most six. */
export function timeTicks(from: Date, to: Date): Date[] {
  const seconds = (to.getTime() - from.getTime()) / 1_000
  const step = (STEPS_SECONDS.find((each) => seconds / each <= (each < 60 ? 4 : 5)) ?? 21_600) * 1_000
  const first = Math.ceil(from.getTime() / step) * step
  const count = Math.max(0, Math.min(6, Math.floor((to.getTime() - first) / step) + 1))
  return Array.from({ length: count }, (_, index) => new Date(first + index * step))
}
