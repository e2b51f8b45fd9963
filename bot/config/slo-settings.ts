import { z } from 'zod'
import type { Slo } from '../../agent/domain/slo.ts'

const text = (max: number) => z.string().trim().min(1).max(max)

/** One promise of a service, as the settings file writes it. */
export const sloFileSchema = z.strictObject({
  service: text(200).meta({ description: 'The service, as alerts and metrics call it.' }),
  environment: text(100).meta({ description: 'Where it runs; its metrics are read there.' }),
  objective: z
    .number()
    .min(0.5, 'must be 0.5 at least')
    .max(0.999_999, 'must be below 1: a promise that nothing ever fails has no budget')
    .meta({ description: 'The share that is good: of its requests, or of its minutes with `p99AtMostSeconds`. 0.999 is 99.9 %.' }),
  days: z.int().min(1).max(90).default(30).meta({ description: 'Days over which it is kept.' }),
  p99AtMostSeconds: z.number().positive().max(3_600).optional().meta({
    description: 'A promise about speed: a minute is good when 99 of 100 requests took no longer. Without it the promise is about errors.',
  }),
})

export function readSlos(slos: readonly z.infer<typeof sloFileSchema>[] = []): Slo[] {
  return slos.map(({ p99AtMostSeconds, ...slo }) => ({
    ...slo,
    of: p99AtMostSeconds === undefined ? { metric: 'error_ratio' } : { metric: 'latency_p99', atMostSeconds: p99AtMostSeconds },
  }))
}

/** A promise that is there twice would be told twice. */
export function sloProblems(slos: readonly Slo[]): string[] {
  const names = slos.map(({ service, environment, of }) => `${service} in ${environment} (${of.metric})`)
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) => `slos: ${name} is there twice.`)
}
