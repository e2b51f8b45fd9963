import { matchesGlob } from 'node:path'
import { type AstNode, isNode, placeOf, type Source, visit } from './source.ts'

/** @returns where the environment is read outside bot/config.ts */
export function environmentReads(sources: readonly Source[]): string[] {
  return find(sources, ['bot/config.ts'], (node, parent) => {
    if (isMember(node, 'process', 'env')) return true
    if (node.type === 'ImportSpecifier' && nameOf(node['imported']) === 'env') return isProcessModule(parent)
    return node.type === 'VariableDeclarator' && nameOf(node['init']) === 'process' && picks(node['id'], 'env')
  })
}

/**
 * @returns where the wall clock is read outside bot/main.ts. The local target's services are programs of their own, started as processes
 * and handed no clock: integrations/local/shop/ reads its own.
 */
export function clockReads(sources: readonly Source[]): string[] {
  return find(sources, ['bot/main.ts', 'integrations/local/shop/**'], readsClock)
}

const OUTSIDE_WORLD = ['Promise', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'console']

/** @returns where the pure folders, agent/domain and agent/policy, wait, read the clock or reach outside */
export function impurities(sources: readonly Source[]): string[] {
  const pure = sources.filter(({ path }) => matchesGlob(path, 'agent/{domain,policy}/**'))
  return find(pure, [], (node, parent) => {
    if (node.type === 'AwaitExpression' || node['async'] === true || readsClock(node)) return true
    const isName = parent?.type !== 'MemberExpression' || parent['object'] === node
    return isName && OUTSIDE_WORLD.includes(nameOf(node) ?? '')
  })
}

function readsClock(node: AstNode): boolean {
  const madeNow = node.type === 'NewExpression' && nameOf(node['callee']) === 'Date' && isEmpty(node['arguments'])
  const calledPlain = node.type === 'CallExpression' && nameOf(node['callee']) === 'Date'
  return madeNow || calledPlain || isMember(node, 'Date', 'now')
}

function find(
  sources: readonly Source[],
  except: readonly string[],
  matches: (node: AstNode, parent: AstNode | null) => boolean,
): string[] {
  return sources
    .filter(({ path }) => !except.some((glob) => matchesGlob(path, glob)))
    .flatMap((source) => {
      const places: string[] = []
      visit(source.program, (node, parent) => {
        if (matches(node, parent)) places.push(placeOf(source, node))
      })
      return places
    })
}

function isMember(node: AstNode, object: string, property: string): boolean {
  if (node.type !== 'MemberExpression' || nameOf(node['object']) !== object) return false
  return nameOf(node['property']) === property || (isNode(node['property']) && node['property']['value'] === property)
}

function nameOf(value: unknown): string | null {
  return isNode(value) && value.type === 'Identifier' ? String(value['name']) : null
}

function isProcessModule(node: AstNode | null): boolean {
  const from = node?.['source']
  return isNode(from) && (from['value'] === 'node:process' || from['value'] === 'process')
}

function picks(pattern: unknown, key: string): boolean {
  const properties = isNode(pattern) && Array.isArray(pattern['properties']) ? pattern['properties'] : []
  return properties.some((property) => isNode(property) && nameOf(property['key']) === key)
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
