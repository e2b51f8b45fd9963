const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P']

/** A Kubernetes quantity as a plain number: `500m` is 0.5, `1Gi` is 1073741824. Null for what is none. */
export function quantityIn(text: string | number | null | undefined): number | null {
  const match = /^([\d.]+)(m|k|Ki|[MGTP]i?)?$/.exec(String(text ?? '').trim())
  if (!match) return null
  const [, digits = '', unit = ''] = match
  const value = Number(digits)
  if (unit === 'm') return value / 1_000
  return BINARY.includes(unit) ? value * 1_024 ** BINARY.indexOf(unit) : value * 1_000 ** DECIMAL.indexOf(unit)
}
