import type { z } from 'zod'

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
