import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseAst } from 'vitest/node'

/** The folders whose files the rules are about. */
export const PRODUCT_FOLDERS = ['bot', 'agent', 'integrations', 'storage'] as const

export type Import = {
  /** A path from the project's folder, a package's name, or `node:` and a module's name. */
  readonly to: string
  readonly local: boolean
  /** Erased before the program runs (`import type`). */
  readonly typeOnly: boolean
  /** `import(…)`: loaded only when that line is reached. */
  readonly dynamic: boolean
}

export type AstNode = { readonly type: string; readonly start: number; readonly end: number; readonly [field: string]: unknown }

export type Source = {
  /** From the project's folder, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly program: AstNode
  readonly imports: readonly Import[]
}

/** Reads every TypeScript file of the product. */
export function readSources(root: string): Source[] {
  const paths = PRODUCT_FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
  return paths.map((path) => parseSource(path.replaceAll('\\', '/'), readFileSync(posix.join(root, path), 'utf8'))).sort(byPath)
}

/** @throws SyntaxError when the text is not TypeScript */
export function parseSource(path: string, text: string): Source {
  const program = parseAst(text, { lang: 'ts' }, path) as unknown as AstNode
  const imports: Import[] = []
  visit(program, (node) => {
    const found = importOf(node, path)
    if (found !== null) imports.push(found)
  })
  return { path, text, program, imports }
}

/** Calls `see` with the node and everything below it, with the node's parent. */
export function visit(node: AstNode, see: (node: AstNode, parent: AstNode | null) => void, parent: AstNode | null = null): void {
  see(node, parent)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, see, node)
  }
}

export function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** `path:line`, the first line being 1. */
export function placeOf(source: Source, node: AstNode): string {
  return `${source.path}:${source.text.slice(0, node.start).split('\n').length}`
}

function importOf(node: AstNode, path: string): Import | null {
  if (node.type === 'ImportExpression') return toImport(node['source'], path, { typeOnly: false, dynamic: true })
  if (node.type === 'TSImportType') return toImport(node['source'] ?? node['argument'], path, { typeOnly: true, dynamic: false })
  const declares = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration'].includes(node.type)
  if (!declares || !isNode(node['source'])) return null
  return toImport(node['source'], path, { typeOnly: (node['importKind'] ?? node['exportKind']) === 'type', dynamic: false })
}

function toImport(from: unknown, path: string, how: { typeOnly: boolean; dynamic: boolean }): Import {
  const literal = isNode(from) && isNode(from['literal']) ? from['literal'] : from
  const specifier = isNode(literal) && typeof literal['value'] === 'string' ? literal['value'] : null
  if (specifier === null) return { to: 'a path computed while running', local: true, ...how }
  if (specifier.startsWith('.')) return { to: posix.join(posix.dirname(path), specifier), local: true, ...how }
  return { to: packageOf(specifier), local: false, ...how }
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier.split('/')[0] ?? specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function byPath(a: Source, b: Source): number {
  return a.path < b.path ? -1 : 1
}
