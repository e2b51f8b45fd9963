import type { Agent, Looked } from '../../agent/agent.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import type { ParsedCommand } from '../command-parser.ts'
import type { Caller, Person } from '../identity.ts'
import { type Card, type CardBlock, text } from '../messages/card.ts'
import { linesOf } from '../messages/card-size.ts'
import { plainOf, type Span } from '../messages/span.ts'
import { cutText } from '../messages/visible-text.ts'
import type { Permission } from '../permissions.ts'

/** Where a command is run and by whom. */
export interface CommandContext {
  agent: Agent
  caller: Caller
  /** The incident whose thread it was typed in; null elsewhere. */
  incident: string | null
  now: Date
  /** Where the console is reached; null when nobody but this machine can. */
  consoleUrl: string | null
  /** Told of what is looked at for an answer that takes long; left out where nobody sees it. */
  report?: (step: Looked) => void
}

/** One command, the same on every surface. */
export interface Command {
  name: string
  /** What follows the name, for `help`. */
  usage: string
  summary: string
  needs: Permission
  /** Whether it may be run without a person, by a program: only what decides nothing. */
  programs: boolean
  run(command: ParsedCommand, context: CommandContext): Promise<Card>
}

const NOTIFICATION_LENGTH = 3_000
const LONGEST_REASON = 500

/** An answer of blocks, with one line of plain text that says the same where blocks cannot be shown. */
export function answer(...blocks: CardBlock[]): Card {
  return { kind: 'answer', ref: '', notification: cutText(blocks.map(inOneLine).join(' '), NOTIFICATION_LENGTH), blocks }
}

export function sentence(spans: readonly Span[]): Card {
  return answer(text(spans))
}

/** @throws Refusal not-human when no person is behind the call. */
export function personBehind(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Refusal('not-human')
  return caller.person
}

/** The rest of a command as its reason, bounded; null when nothing was said. */
export function shortReason(words: readonly string[]): string | null {
  const said = words.join(' ').slice(0, LONGEST_REASON).toWellFormed()
  return said === '' ? null : said
}

function inOneLine(block: CardBlock): string {
  if (block.type === 'list') return `${block.title}: ${block.items.map(plainOf).map(withoutStop).join('; ')}.`
  if (block.type === 'facts') return block.facts.map(({ label, value }) => `${label}: ${withoutStop(plainOf(value))}.`).join(' ')
  if (block.type === 'title') return `${withoutStop(block.text)}.`
  return linesOf(block).map(plainOf).join(' ')
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '')
}
