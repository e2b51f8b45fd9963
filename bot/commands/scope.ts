import type { Scopes } from '../../agent/agent.ts'
import { nearest } from '../../agent/domain/nearest.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { EVERYTHING } from '../messages/scope-words.ts'

const SHOWN = 8

/**
 * What `stop` was told to stop: '*', 'env:NAME' or 'kind:ACTION', and only what there is. A scope that matches nothing would say "stopped" and
 * stop nothing.
 *
 * @throws Refusal invalid-parameters with what was probably meant
 */
export async function stopScope(word: string | undefined, scopes: Scopes): Promise<string> {
  // At once: what is everything needs no target to answer.
  if (isEverything(word)) return EVERYTHING
  if (isBare(word)) demandNoName(word, { env: await scopes.environments(), kind: scopes.kinds() })
  const { prefix, name } = partsOf(word, ['env', 'kind'], 'env:NAME or kind:ACTION')
  if (prefix === 'env') return `env:${oneOf('environment', name, await scopes.environments())}`
  return `kind:${oneOf('action', name, scopes.kinds())}`
}

/** What `start` was told to start again: only what is stopped. @throws Refusal invalid-parameters */
export function startScope(word: string | undefined, stopped: readonly string[]): string {
  const scope = isEverything(word) ? EVERYTHING : word
  if (stopped.includes(scope)) return scope
  const names = stopped.map((each) => (each === EVERYTHING ? 'everything' : each))
  throw invalid(
    `${scope === EVERYTHING ? 'Not everything' : `"${scope.slice(0, 60)}"`} is stopped: ${names.length === 0 ? 'nothing is' : `it is ${names.join(', ')}`}.`,
  )
}

/** What `freeze` was told to freeze: '*', 'env:NAME' or 'resource:' with the full name of the one thing meant. @throws Refusal invalid-parameters */
export async function freezeScope(word: string | undefined, scopes: Scopes): Promise<string> {
  if (isEverything(word)) return EVERYTHING
  if (isBare(word)) demandNoName(word, { env: await scopes.environments(), resource: await scopes.services() })
  const { prefix, name } = partsOf(word, ['env', 'resource'], 'env:NAME or resource:NAME')
  if (prefix === 'env') return `env:${oneOf('environment', name, await scopes.environments())}`
  const found = await resourcesOf(name, scopes)
  const [only] = found
  if (only === undefined) throw await unknownResource(name, scopes)
  if (found.length > 1) throw invalid(`There are ${found.length} of that name, say which: ${shown(found, 'resource:')}.`)
  return `resource:${only}`
}

/** A name alone may be meant as one thing or another, so it is never guessed: what it may mean is offered. @throws Refusal invalid-parameters */
function demandNoName(word: string, known: Readonly<Record<string, readonly string[]>>): void {
  const meant = Object.entries(known).flatMap(([prefix, names]) =>
    names.filter((name) => name.toLowerCase() === word.toLowerCase()).map((name) => `"${prefix}:${name}"`),
  )
  if (meant.length > 0) throw invalid(`"${word.slice(0, 60)}" is no scope. Did you mean ${meant.join(' or ')}?`)
}

async function resourcesOf(name: string, scopes: Scopes): Promise<string[]> {
  try {
    return await scopes.resources(name)
  } catch (cause) {
    const refusal = invalid(`"${name.slice(0, 60)}" cannot be looked up at the moment. Freeze its environment instead: env:NAME.`)
    refusal.cause = cause
    throw refusal
  }
}

async function unknownResource(name: string, scopes: Scopes): Promise<Refusal> {
  return unknown('resource', name.slice(name.lastIndexOf('/') + 1), await scopes.services())
}

function isEverything(word: string | undefined): word is undefined | 'all' | '*' {
  return word === undefined || word === 'all' || word === EVERYTHING
}

const isBare = (word: string): boolean => !word.includes(':')

function partsOf(word: string, prefixes: readonly string[], expected: string): { prefix: string; name: string } {
  const [, prefix = '', name = ''] = /^([a-z]+):([^ ]{1,400})$/.exec(word) ?? []
  if (name !== '' && prefixes.includes(prefix)) return { prefix, name }
  throw invalid(`"${word.slice(0, 60)}" is no scope: it is ${expected}, or nothing for everything.`)
}

function oneOf(what: string, name: string, known: readonly string[]): string {
  const found = known.find((each) => each === name) ?? known.find((each) => each.toLowerCase() === name.toLowerCase())
  if (found === undefined) throw unknown(what, name, known)
  return found
}

function unknown(what: string, name: string, known: readonly string[]): Refusal {
  const meant = nearest(name, known)
  const rest = meant === null ? `There are: ${known.length === 0 ? 'none' : shown(known)}.` : `Did you mean "${meant}"?`
  return invalid(`There is no ${what} "${name.slice(0, 60)}". ${rest}`)
}

function shown(names: readonly string[], before = ''): string {
  const more = names.length - SHOWN
  return `${names
    .slice(0, SHOWN)
    .map((name) => before + name)
    .join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function invalid(words: string): Refusal {
  return new Refusal('invalid-parameters', words)
}
