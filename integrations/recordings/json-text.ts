export type JsonObject = Readonly<Record<string, unknown>>

const MAX_OBJECTS = 5_000
const MAX_DEPTH = 8

/**
 * All objects in a JSON value, outermost first, as far as they are neither too many nor too deep.
 * @param isWhole into what it holds for nobody looks any further
 */
export function objectsWithin(value: unknown, isWhole: (object: JsonObject) => boolean = () => false): JsonObject[] {
  const found: JsonObject[] = []
  const walk = (each: unknown, depth: number): void => {
    if (depth > MAX_DEPTH || found.length >= MAX_OBJECTS || each === null || typeof each !== 'object') return
    const object = Array.isArray(each) ? null : (each as JsonObject)
    if (object) found.push(object)
    if (object === null || !isWhole(object)) for (const inner of Object.values(each)) walk(inner, depth + 1)
  }
  walk(value, 0)
  return found
}

/** The plain values of an object as text; nothing of what is no object. */
export function scalarsOf(value: unknown): Record<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (['string', 'number', 'boolean'].includes(typeof each) ? [[key, String(each)]] : [])),
  )
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function momentIn(text: string | undefined): Date | null {
  const [stamp] = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/.exec(text ?? '') ?? []
  const time = Date.parse(stamp ?? '')
  return Number.isNaN(time) ? null : new Date(time)
}
