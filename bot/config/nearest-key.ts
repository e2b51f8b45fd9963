import type { z } from 'zod'

/** The known key that looks most like a mistyped one, or null when none is near enough to be meant. */
export function nearestKey(typed: string, known: readonly string[]): string | null {
  const wanted = typed.toLowerCase()
  let best: { key: string; distance: number } | null = null
  for (const key of known) {
    const distance = editDistance(wanted, key.toLowerCase())
    if (best === null || distance < best.distance) best = { key, distance }
  }
  if (best === null) return null
  const longest = Math.max(typed.length, best.key.length)
  // Two slips are common in a word, but make one short word of another.
  return best.distance <= (longest <= 3 ? 1 : Math.max(2, Math.floor(longest / 3))) ? best.key : null
}

/** The keys a schema allows at a path; empty when the path leads to no object. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let here: z.core.$ZodType | undefined = schema
  for (const step of path) here = here === undefined ? undefined : child(unwrap(here), step)
  const found = here === undefined ? undefined : unwrap(here)
  return found === undefined ? [] : Object.keys(shapeOf(found))
}

function child(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined {
  const def = definitionOf(schema)
  if (typeof step === 'number') return def.element
  return shapeOf(schema)[String(step)] ?? def.valueType
}

function shapeOf(schema: z.core.$ZodType): Record<string, z.core.$ZodType> {
  return definitionOf(schema).shape ?? {}
}

/** Peels what stands around a schema: optional, default, nullable, transforms. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType, in: input } = definitionOf(schema)
  const inner = innerType ?? input
  return inner === undefined ? schema : unwrap(inner)
}

interface Definition {
  shape?: Record<string, z.core.$ZodType>
  element?: z.core.$ZodType
  valueType?: z.core.$ZodType
  innerType?: z.core.$ZodType
  in?: z.core.$ZodType
}

function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition
}

/** Levenshtein distance: how many letters to add, drop or swap for another. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1]
    for (const [column, other] of [...b].entries()) {
      const swapped = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(swapped, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
