/** A test of the patch did not hold, or a path is not there. */
export class PatchFailed extends Error {
  override readonly name = 'PatchFailed'
}

interface Operation {
  op: string
  path: string
  value?: unknown
}

/** RFC 6902 in place, for test, add, replace and remove. @throws PatchFailed */
export function applyJsonPatch(target: object, patch: unknown): void {
  for (const { op, path, value } of patch as Operation[]) {
    const steps = path
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = steps.pop() ?? ''
    const parent = steps.reduce<unknown>((at, step) => childOf(at, step), target)
    if (typeof parent !== 'object' || parent === null) throw new PatchFailed(path)
    const holder = parent as Record<string, unknown>
    if (op === 'test') {
      if (JSON.stringify(holder[last]) !== JSON.stringify(value)) throw new PatchFailed(path)
    } else if (op === 'add') holder[last] = value
    else if (!(last in holder)) throw new PatchFailed(path)
    else if (op === 'replace') holder[last] = value
    else delete holder[last]
  }
}

function childOf(value: unknown, step: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined
}
