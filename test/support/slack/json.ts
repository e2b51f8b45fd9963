/** An object as it crosses the wire. */
export type Json = Record<string, unknown>

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of a list, and none of anything else. */
export function jsons(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : []
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
