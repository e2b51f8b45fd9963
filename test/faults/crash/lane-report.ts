/** What "none of n" proves: with 95 % certainty the rate is below 3/n. */
export function upperBound(trials: number): string {
  return `0 of ${trials}: below ${((3 / trials) * 100).toFixed(3)} % (95 %)`
}

/** A line of a lane's report, for whoever runs it. */
export function print(title: string, facts: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${title}: ${JSON.stringify(facts)}\n`)
}

export function rounded(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}
