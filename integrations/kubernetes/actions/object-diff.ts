import type { ChangeLine } from '../../../agent/domain/plan.ts'

/** A card shows less of a text: it is cut once more, after secrets in it were masked. */
const MAX_TEXT = 4_000
/** Where secrets are written in plain words: that these change is shown, not what they are. */
const HIDDEN = [/(^|\.)(env|httpHeaders)\[[^\]]*\]\.value$/, /(^|\.)(command|args)\[\d+\]$/]

/** What differs between two objects, one line a field, in the order of their names. Values that are likely to be secrets are not shown. */
export function differingFields(before: unknown, after: unknown): ChangeLine[] {
  const [old, now] = [new Map(leavesOf(before, '')), new Map(leavesOf(after, ''))]
  const names = [...new Set([...old.keys(), ...now.keys()])].sort()
  return names.flatMap((field) => {
    const [from, to] = [old.get(field) ?? null, now.get(field) ?? null]
    if (from === to) return []
    const isHidden = HIDDEN.some((pattern) => pattern.test(field))
    return [{ field: field.slice(0, 200), from: shown(from, isHidden), to: shown(to, isHidden) }]
  })
}

type Leaf = string | number | boolean | null

/** Lists of named things by their names: a container that moves is no change. */
function leavesOf(value: unknown, path: string): [string, Leaf][] {
  if (Array.isArray(value)) return value.flatMap((each, index) => leavesOf(each, `${path}[${nameOf(each) ?? index}]`))
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, each]) => leavesOf(each, path === '' ? key : `${path}.${key}`))
  return value === undefined ? [] : [[path, value as Leaf]]
}

function nameOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !('name' in item)) return null
  return typeof item.name === 'string' ? item.name : null
}

function shown(value: Leaf, hidden: boolean): ChangeLine['from'] {
  if (value === null) return null
  if (hidden) return 'a value that is not shown'
  if (typeof value === 'string') return value.slice(0, MAX_TEXT).toWellFormed()
  return typeof value === 'number' && !Number.isInteger(value) ? String(value) : value
}
