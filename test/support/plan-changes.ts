import { type Plan, planSchema } from '../../agent/domain/plan.ts'

/**
 * The plan once for each of its fields, with only that field changed to another valid value: what a reader of a card has to be able to tell
 * apart. Every field counts but the constant name of the schema.
 */
export function everyChange(plan: Plan): [path: string, changed: Plan][] {
  return leafPaths(plan)
    .filter((path) => path !== 'schema')
    .map((path) => [path, planSchema.parse(changeAt(plan, path.split('.')))])
}

function leafPaths(value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object') return [path]
  return Object.entries(value).flatMap(([key, item]) => leafPaths(item, path === '' ? key : `${path}.${key}`))
}

function changeAt(value: unknown, [key = '', ...rest]: readonly string[], path = key): unknown {
  if (key === '') return otherValue(value, path)
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? changeAt(item, rest, path) : item))
  const fields = value as Record<string, unknown>
  return { ...fields, [key]: changeAt(fields[key], rest, rest.length > 0 ? (rest.at(-1) ?? path) : path) }
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  comparator: ['<=', '>='],
  reversibility: ['reversible', 'compensable'],
  risk: ['safe', 'caution'],
  role: ['approver', 'admin'],
  class: ['bad_release', 'memory_leak'],
}

function otherValue(value: unknown, name: string): unknown {
  if (typeof value === 'number')
    return value + 1 > 4 && name === 'severity' ? value - 1 : value === 2 && name === 'maxAttempts' ? 1 : value + 1
  if (typeof value === 'boolean') return !value
  if (value === null) return name === 'undoOf' ? '11111111-1111-4111-8111-111111111111' : 'something'
  const text = String(value)
  const choices = CHOICES[name]
  if (choices) return choices.find((choice) => choice !== text)
  if (/^\d{4}-\d{2}-\d{2}T/.test(text)) return text.replace('2026', '2027')
  if (/^[0-9a-f]{64}$/.test(text)) return text.replace(/^../, 'ee')
  if (/^[0-9a-f-]{36}$/.test(text)) return text.replace(/^./, 'a')
  return /^\d+\.\d+$/.test(text) ? '0.07' : `${text}x`
}
