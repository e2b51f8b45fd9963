import { randomUUID } from 'node:crypto'
import { nearest } from '../../agent/domain/nearest.ts'
import { type AskedChange, codeOf, EVERYWHERE, type PowerChange, sealChange } from '../../agent/domain/power.ts'
import { ROLES, type Role, SURFACES, type Surface } from '../../agent/domain/principal.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import type { Caller } from '../identity.ts'
import { type Card, list } from '../messages/card.ts'
import { changeWords, waitingWords } from '../messages/power-words.ts'
import { bold, code, say } from '../messages/span.ts'
import { answer, type Command, type CommandContext, sentence } from './command.ts'

const LONGEST_ID = 200
const LONGEST_NAME = 100
const PERSON = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** Each form of the command: what follows it, and what it does. */
const FORMS: Readonly<Record<string, { usage: string; run(words: readonly string[], context: CommandContext): Promise<Card> }>> = {
  pending: { usage: 'pending', run: async (_words, context) => await pending(context) },
  grant: {
    usage: 'grant PERSON ROLE [env:NAME]',
    run: async ([person, role, env], context) =>
      await ask({ kind: 'grant', person: personIn(person), role: roleIn(role), environment: envIn(env) ?? EVERYWHERE }, context),
  },
  revoke: {
    usage: 'revoke PERSON [ROLE] [env:NAME]',
    async run([person, ...rest], context) {
      const env = rest.find((word) => word.startsWith('env:'))
      const role = rest.find((word) => word !== env)
      return await ask(
        { kind: 'revoke', person: personIn(person), role: role === undefined ? null : roleIn(role), environment: envIn(env) },
        context,
      )
    },
  },
  link: {
    usage: 'link PERSON SURFACE TENANT ACCOUNT [NAME]',
    async run([person, surface, tenant, account, ...name], context) {
      const named = name.join(' ').slice(0, LONGEST_NAME)
      return await ask(
        { kind: 'link', person: personIn(person), name: named === '' ? null : named, ...accountIn(surface, tenant, account) },
        context,
      )
    },
  },
  unlink: {
    usage: 'unlink SURFACE TENANT ACCOUNT',
    run: async ([surface, tenant, account], context) => await ask({ kind: 'unlink', ...accountIn(surface, tenant, account) }, context),
  },
  confirm: {
    usage: 'confirm CODE',
    run: async ([word = ''], context) => after(await context.agent.power.confirm(word.toLowerCase(), accountOf(context)), context),
  },
  withdraw: {
    usage: 'withdraw CODE',
    run: async ([word = ''], context) => after(await context.agent.power.withdraw(word.toLowerCase(), accountOf(context)), context),
  },
}

export const admin: Command = {
  name: 'admin',
  usage: Object.values(FORMS)
    .map(({ usage }) => usage)
    .join(' | '),
  summary: 'who may what: giving takes two admins, taking one',
  needs: 'admin',
  programs: false,
  async run({ words: [form = 'pending', ...words] }, context) {
    const name = form.toLowerCase()
    const found = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined
    if (found) return await found.run(words, context)
    const meant = nearest(name, Object.keys(FORMS))
    throw invalid(`It is: ${admin.usage}.${meant === null ? '' : ` Did you mean "${meant}"?`}`)
  },
}

async function pending({ agent, now }: CommandContext): Promise<Card> {
  const waiting = await agent.power.pending()
  if (waiting.length === 0) return sentence(say`Nothing waits for an admin.`)
  return answer(
    ...list(
      'Waits for an admin',
      waiting.map((asked) => waitingWords(asked, now)),
    ),
  )
}

async function ask(change: PowerChange, context: CommandContext): Promise<Card> {
  return after(await context.agent.power.ask(sealChange(randomUUID(), change), accountOf(context)), context)
}

function after(asked: AskedChange, { now }: CommandContext): Card {
  if (asked.state === 'pending') return sentence(say`${bold('Waits')} for another admin: ${waitingWords(asked, now)}.`)
  if (asked.state === 'withdrawn') return sentence(say`${bold('Withdrawn')}: ${changeWords(asked.change)} (${code(codeOf(asked))}).`)
  return sentence(say`${bold('Done')}: ${changeWords(asked.change)}.`)
}

function accountOf({ caller }: { caller: Caller }) {
  if (caller.kind !== 'person') throw new Refusal('not-human')
  return caller.actor
}

function personIn(word: string | undefined): string {
  if (word !== undefined && PERSON.test(word)) return word
  throw invalid(`"${(word ?? '').slice(0, 64)}" is no id of a person: lower case letters, digits, dots, dashes or underscores.`)
}

function roleIn(word: string | undefined): Role {
  const role = ROLES.find((known) => known === word?.toLowerCase())
  if (role === undefined) throw invalid(`"${(word ?? '').slice(0, 40)}" is no role: there are ${ROLES.join(', ')}.`)
  return role
}

function envIn(word: string | undefined): string | null {
  if (word === undefined) return null
  const [, name] = /^env:([^ ]{1,100})$/.exec(word) ?? []
  if (name === undefined) throw invalid(`"${word.slice(0, 60)}" is no environment: write env:NAME, or nothing for all of them.`)
  return name
}

function accountIn(surfaceWord = '', tenant = '', account = ''): { surface: Surface; tenant: string; account: string } {
  const surface = SURFACES.find((known) => known === surfaceWord.toLowerCase())
  if (surface === undefined) throw invalid(`"${surfaceWord.slice(0, 40)}" is no surface: there are ${SURFACES.join(', ')}.`)
  if (tenant === '' || account === '' || tenant.length > LONGEST_ID || account.length > LONGEST_ID)
    throw invalid('Name the workspace or tenant and the account in it, by their ids.')
  return { surface, tenant, account }
}

function invalid(words: string): Refusal {
  return new Refusal('invalid-parameters', words)
}
