/** One measured figure. A distribution has its median as `value` and its percentiles beside it. */
export type Figure = {
  /** What was measured, such as `click to authorised (PGlite)`. */
  readonly name: string
  readonly value: number
  /** ms, MB, 1/s, … or empty for a plain number. */
  readonly unit: string
  /** How many measurements stand behind the value; at least 1. */
  readonly n: number
  readonly p50?: number
  readonly p95?: number
  readonly p99?: number
}

/**
 * Nearest-rank percentile.
 * @param share from 0 (the least) to 1 (the greatest)
 * @throws RangeError when there are no samples or the share is out of range
 */
export function percentile(samples: readonly number[], share: number): number {
  if (share < 0 || share > 1) throw new RangeError(`A percentile's share lies between 0 and 1, not at ${share}.`)
  const sorted = [...samples].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('No percentile without samples.')
  return value
}

/** A figure of repeated measurements: the median, p95 and p99. */
export function distribution(name: string, unit: string, samples: readonly number[]): Figure {
  const [p50, p95, p99] = [percentile(samples, 0.5), percentile(samples, 0.95), percentile(samples, 0.99)]
  return { name, value: p50, unit, n: samples.length, p50, p95, p99 }
}

/** The figures as a table for people, then one JSON line each for programs. */
export function formatReport(figures: readonly Figure[]): string {
  return [...tableLines(figures), '', ...figures.map((figure) => JSON.stringify(figure)), ''].join('\n')
}

const HEADINGS = ['name', 'value', 'unit', 'n', 'p50', 'p95', 'p99'] as const

function tableLines(figures: readonly Figure[]): string[] {
  const rows = [HEADINGS, ...figures.map((figure) => HEADINGS.map((heading) => cell(figure[heading])))]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((text, column) => pad(text, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  )
  return [lines[0] ?? '', widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)]
}

function cell(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? ''
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 3 : 1)
}

/** Words to the left, numbers to the right. */
function pad(text: string, width: number, column: number): string {
  const heading = HEADINGS[column]
  return heading === 'name' || heading === 'unit' ? text.padEnd(width) : text.padStart(width)
}
