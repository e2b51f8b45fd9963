const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A quantity such as `250m`, `1.5Gi` or `1e3` as a number (cores, bytes, a count); null for what is none. */
export function quantityOf(text: string | number | null | undefined): number | null {
  const [, digits, suffix = ''] = /^([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(String(text ?? '')) ?? []
  const factor = SUFFIXES[suffix]
  if (digits === undefined || factor === undefined) return null
  // Thousandths of a core are what the platform itself counts in: no binary dust beyond them.
  const value = Number(digits) * factor
  return Number.isInteger(value) ? value : Number(value.toPrecision(12))
}
