import { Refusal } from '../../agent/domain/refusal.ts'
import { type ParsedCommand, parseCommand } from '../command-parser.ts'
import { perform } from './act.ts'
import type { Command, CommandContext } from './command.ts'

const POLITE = /^(?:please|can you|could you)\s+/i
/** What may follow the service and changes nothing of what is asked. */
const TAIL = /^(?:to (?:the|its) previous (?:version|release))?\s*(?:now|please)?$/i

/**
 * An action of the catalogue asked for in words, such as "rollback payments to the previous version": the same as `do rollback payments`, which puts a
 * plan before people and carries nothing out. Words that could mean something else are asked back, never guessed. Null for any other text.
 */
export function requestIn({ name, rest }: ParsedCommand, { agent }: Pick<CommandContext, 'agent'>): Command | null {
  const said = `${name} ${rest}`
    .replace(POLITE, '')
    .replace(/[.!\s]+$/, '')
    .trim()
  const [verb = '', ...words] = said.split(' ')
  const action = agent.actions().find((known) => known.verb === verb.toLowerCase().replace(/^roll-?back$/, 'rollback'))
  if (action === undefined || said.endsWith('?')) return null
  const { environment, others } = placeIn(words)
  const [service, ...tail] = others.filter((word, index) => index > 0 || word.toLowerCase() !== 'the')
  const isPlain = service !== undefined && tail.every((word) => word.includes('=')) && tail.length > 0
  if (service !== undefined && (isPlain || (TAIL.test(tail.join(' ')) && isForRollback(tail, action.verb)))) {
    const wanted = parseCommand(`do ${action.verb} ${service} ${environment} ${isPlain ? tail.join(' ') : ''}`)
    return { ...perform, run: async (_command, context) => await perform.run(wanted, context) }
  }
  const refusal = new Refusal('invalid-parameters', `Say it exactly, for example: do ${action.verb} ${service ?? 'payments'}`)
  return {
    ...perform,
    run: async () => {
      throw refusal
    },
  }
}

/** 'in prod', as a command says it; empty where it is not said. */
function placeIn(words: readonly string[]): { environment: string; others: readonly string[] } {
  const at = words.findIndex((word, index) => index > 0 && word.toLowerCase() === 'in' && words[index + 1] !== undefined)
  return at === -1 ? { environment: '', others: words } : { environment: `env:${words[at + 1]}`, others: words.toSpliced(at, 2) }
}

function isForRollback(tail: readonly string[], verb: string): boolean {
  return verb === 'rollback' || !tail.some((word) => /^previous$/i.test(word))
}
