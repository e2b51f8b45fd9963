import { z } from 'zod'
import { quantityOf } from '../quantity.ts'
import type { Fields } from './live-object.ts'

/** What stands before a container's name in the field that tells its resources: 'resources of app'. */
export const RESOURCES_OF = 'resources of '

export const BOUNDS = ['cpuRequest', 'cpuLimit', 'memoryRequest', 'memoryLimit'] as const
export type Bound = (typeof BOUNDS)[number]
/** In cores and bytes; null for what is not set. */
export type ResourceBounds = Readonly<Record<Bound, number | null>>

const amounts = z.record(z.string(), z.union([z.string(), z.number()])).nullish()
const containerSchema = z.looseObject({ name: z.string(), resources: z.looseObject({ requests: amounts, limits: amounts }).nullish() })
type Container = z.infer<typeof containerSchema>
const rawSchema = z.object({ spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(containerSchema) }) }) }) })

/** The containers of a workload's template, in their order. */
export function containersOf(raw: unknown): Container[] {
  return rawSchema.parse(raw).spec.template.spec.containers
}

export function boundsIn({ resources }: Container): ResourceBounds {
  return {
    cpuRequest: quantityOf(resources?.requests?.['cpu']),
    cpuLimit: quantityOf(resources?.limits?.['cpu']),
    memoryRequest: quantityOf(resources?.requests?.['memory']),
    memoryLimit: quantityOf(resources?.limits?.['memory']),
  }
}

/** One field for each container: 'cpu 250m/-, memory 128Mi/256Mi', each request/limit. */
export function resourceFields(raw: unknown): Fields {
  return Object.fromEntries(containersOf(raw).map((container) => [`${RESOURCES_OF}${container.name}`, writtenBounds(boundsIn(container))]))
}

/** The same amount is always written in the same way, whatever the manifest writes. */
export function writtenBounds(bounds: ResourceBounds): string {
  const [cpuRequest, cpuLimit, memoryRequest, memoryLimit] = BOUNDS.map((bound) => {
    const value = bounds[bound]
    return value === null ? '-' : shownQuantity(bound, value)
  })
  return `cpu ${cpuRequest}/${cpuLimit}, memory ${memoryRequest}/${memoryLimit}`
}

/** Null for what `writtenBounds` did not write. */
export function readBounds(text: unknown): ResourceBounds | null {
  const found = /^cpu (\S+)\/(\S+), memory (\S+)\/(\S+)$/.exec(String(text))
  if (!found) return null
  return Object.fromEntries(BOUNDS.map((bound, index) => [bound, quantityOf(found[index + 1])])) as ResourceBounds
}

/** '250m' of cpu, '128Mi' of memory. */
export function shownQuantity(bound: Bound, value: number): string {
  if (bound === 'cpuRequest' || bound === 'cpuLimit') return `${Math.round(value * 1_000)}m`
  if (value % 2 ** 20 === 0) return `${value / 2 ** 20}Mi`
  return value % 2 ** 10 === 0 ? `${value / 2 ** 10}Ki` : String(Math.round(value))
}
