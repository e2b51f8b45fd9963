import { METRICS, type MetricName } from '../../integrations/ports/metrics.ts'

/** '61.5 %', '0.4 %'. */
export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}

/** A value in its metric's unit as people say it: '61.5 %', '240 ms', '1.32 s', '21.3 /s'. */
export function inUnit(metric: MetricName, value: number): string {
  const { unit } = METRICS[metric]
  if (unit === 'ratio') return percent(value)
  if (unit === 's') return value < 1 ? `${Math.round(value * 1_000)} ms` : `${value.toFixed(2)} s`
  if (unit === 'bytes') return `${Math.round(value / 1_048_576)} MiB`
  if (unit === '/s') return `${value.toFixed(1)} /s`
  return String(Number(value.toFixed(2)))
}

/** '10:42:07 UTC': the same everywhere, whoever reads it where. */
export function clock(moment: string | Date): string {
  return `${new Date(moment).toISOString().slice(11, 19)} UTC`
}

/** 'checkout', 'checkout and storefront', 'a, b and c'. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? 'none'
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** With a capital first letter, as a sentence begins. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** 'bad release' for bad_release. */
export function classWords(faultClass: string): string {
  return faultClass.replaceAll('_', ' ')
}
