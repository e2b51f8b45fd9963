import { matchesGlob } from 'node:path'
import { LAZY_PACKAGES, rowFor } from './import-table.ts'
import type { Import, Source } from './source.ts'

/** @returns one line for each import that the table does not allow */
export function forbiddenImports(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const row = rowFor(source.path)
    if (row === null) return [`${source.path} lies in a folder that has no row in the import table`]
    return source.imports
      .filter((each) => !allows(each.local ? row.may : row.packages, each))
      .map((each) => `${source.path} imports ${each.to}${each.typeOnly ? ' (as types)' : ''}; ${row.files} may not`)
  })
}

function allows(patterns: readonly string[], { to, typeOnly }: Import): boolean {
  return patterns.some((pattern) => {
    const glob = pattern.replace(/^type /, '')
    return matchesGlob(to, glob) && (typeOnly || glob === pattern)
  })
}

/** @returns each cycle of static imports once, types included, as `a → b → a` */
export function importCycles(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map((source) => [source.path, source.imports.filter((each) => each.local && !each.dynamic)]))
  const cycles: string[] = []
  const done = new Set<string>()
  const follow = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) cycles.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const each of edges.get(path) ?? []) follow(each.to, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) follow(path, [])
  return cycles
}

/** Every file that runs, or package that is loaded, as soon as `entry` is started, with the chain of imports that leads to it. */
export function loadedAtStart(sources: readonly Source[], entry: string): Map<string, string> {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const chains = new Map([[entry, entry]])
  for (const [path, chain] of chains) {
    for (const each of byPath.get(path)?.imports ?? []) {
      if (!each.typeOnly && !each.dynamic && !chains.has(each.to)) chains.set(each.to, `${chain} → ${each.to}`)
    }
  }
  return chains
}

/** @returns the chain of static imports for each vendor SDK that is loaded although nobody may have configured it */
export function eagerVendorSdks(sources: readonly Source[], entry: string): string[] {
  return [...loadedAtStart(sources, entry)]
    .filter(([loaded]) => LAZY_PACKAGES.some((name) => matchesGlob(loaded, name)))
    .map(([, chain]) => chain)
}

/** @returns the chain of imports for each file of the model's side (its tools and its loop) that reaches code which acts */
export function writesReachableFromTheModel(sources: readonly Source[]): string[] {
  const modelSide = sources.filter(({ path }) => matchesGlob(path, 'agent/{tools,investigation}/**'))
  return modelSide.flatMap(({ path }) =>
    [...loadedAtStart(sources, path)]
      .filter(([to]) => matchesGlob(to, 'agent/actions/{approve,execute,undo}.ts'))
      .map(([, chain]) => chain),
  )
}
