import { Refusal } from '../../agent/domain/refusal.ts'
import { parseDuration } from '../command-parser.ts'
import { list, text } from '../messages/card.ts'
import { EVERYTHING, scopeWords } from '../messages/scope-words.ts'
import { bold, code, say } from '../messages/span.ts'
import { deadline, durationWords } from '../messages/time-words.ts'
import { answer, type Command, personBehind, sentence } from './command.ts'
import { freezeScope, startScope, stopScope } from './scope.ts'

const LONGEST_REASON = 300
const NAMES_SHOWN = 8
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const stop: Command = {
  name: 'stop',
  usage: '[env:NAME | kind:ACTION]',
  summary: 'stops everything, or one environment or action, at once',
  needs: 'stop',
  programs: false,
  async run({ words }, { agent, caller }) {
    const scope = await stopScope(words[0], agent.scopes)
    const { underWay } = await agent.control.stop(scope, personBehind(caller).id)
    return answer(
      text(say`${bold('Stopped')}${within(scope)}: nothing runs any more. Two people can start it again with ${code('start')}.`),
      ...list(
        'Sent before, and still under way',
        underWay.map((title) => say`${title}`),
      ),
    )
  },
}

export const start: Command = {
  name: 'start',
  usage: '[env:NAME | kind:ACTION]',
  summary: 'starts again what was stopped; takes two people',
  needs: 'start',
  programs: false,
  async run({ words }, { agent, caller }) {
    const stopped = await agent.control.stopped()
    const scope = startScope(
      words[0],
      stopped.map((each) => each.scope),
    )
    const { started, votes } = await agent.control.start(scope, personBehind(caller).id, 'person')
    if (started) return sentence(say`${bold('Started')}${within(scope)}: approved actions run again.`)
    const others = (await agent.holders({ role: 'approver', of: null })).filter(({ id }) => !votes.includes(id))
    const names = others.slice(0, NAMES_SHOWN).map(({ name }) => name)
    const who =
      others.length > 0
        ? say`${code('start')}: ${names.join(', ')}${others.length > names.length ? ', …' : ''}.`
        : say`${code('start')}, and nobody else may.`
    return sentence(
      say`Your word is noted (${votes.length} of 2): one more person has to say ${who} On the host ${code('npx steadyhand admin start-again')} does it alone.`,
    )
  },
}

export const freeze: Command = {
  name: 'freeze',
  usage: '[env:NAME | resource:NAME] 30m|2h|1d REASON',
  summary: 'lets nothing run for a while',
  needs: 'freeze',
  programs: false,
  async run({ words }, { agent, caller, now }) {
    const scoped = words[0] !== undefined && parseDuration(words[0]) === null
    const scope = await freezeScope(scoped ? words[0] : undefined, agent.scopes)
    const [length = '', ...reason] = scoped ? words.slice(1) : words
    const seconds = parseDuration(length)
    if (seconds === null) throw new Refusal('invalid-parameters', 'Say for how long, for example: freeze 2h quarter-end closing')
    if (reason.length === 0) throw new Refusal('invalid-parameters', 'Say why, for example: freeze 2h quarter-end closing')
    const to = new Date(now.getTime() + seconds * 1_000)
    const id = await agent.control.freeze({
      scope,
      from: null,
      to,
      reason: reason.join(' ').slice(0, LONGEST_REASON),
      by: personBehind(caller).id,
    })
    return sentence(
      say`${bold('Frozen')} (${scopeWords(scope)}) for ${durationWords(seconds)}, ${deadline(to, now)}. End it earlier with ${code(`unfreeze ${id.slice(0, 8)}`)}.`,
    )
  },
}

export const unfreeze: Command = {
  name: 'unfreeze',
  usage: '[ID]',
  summary: 'ends a freeze before its time',
  needs: 'unfreeze',
  programs: false,
  async run({ words }, { agent, caller }) {
    const freezes = await agent.control.freezes()
    const wanted = words[0]?.toLowerCase()
    const found = freezes.filter(({ id }) => wanted === undefined || id.startsWith(wanted))
    const [only] = found
    if (only === undefined || !UUID.test(only.id)) throw new Refusal('invalid-parameters', noSuchFreeze(wanted, freezes))
    if (found.length > 1) throw new Refusal('invalid-parameters', `There are ${found.length}: say which, by the id that status shows.`)
    await agent.control.unfreeze(only.id, personBehind(caller).id)
    return sentence(say`The freeze${within(only.scope)} is over.`)
  },
}

/** What is frozen is what people name; what ends it is its id. */
function noSuchFreeze(wanted: string | undefined, freezes: readonly { id: string; scope: string }[]): string {
  const meant = freezes.find(
    ({ scope }) => wanted !== undefined && scope.split(/[:/]/).at(-1)?.toLowerCase() === wanted.split(/[:/]/).at(-1),
  )
  return `There is no such freeze.${meant ? ` Did you mean "unfreeze ${meant.id.slice(0, 8)}" (${meant.scope})?` : ''}`
}

function within(scope: string): string {
  return scope === EVERYTHING ? '' : ` (${scope})`
}
