import type { Approval } from '../../agent/domain/approval.ts'
import { ALL_FAULT_CLASSES, type FaultClass } from '../../agent/domain/fault-classes.ts'
import type { Severity } from '../../agent/domain/incident.ts'
import { nearest } from '../../agent/domain/nearest.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { parseDuration } from '../command-parser.ts'
import { type CardBlock, text } from '../messages/card.ts'
import { bold, code, joinSpans, type Span, say } from '../messages/span.ts'
import { deadline, durationWords } from '../messages/time-words.ts'
import { answer, type Command, personBehind, sentence, shortReason } from './command.ts'
import { demandKnown, incidentId, namedIncident } from './which-incident.ts'

/** Longer, and it is forgotten rather than put off. */
export const LONGEST_SNOOZE_SECONDS = 7 * 86_400

export const take: Command = {
  name: 'take',
  usage: 'INCIDENT [over | back]',
  summary: 'you look after it: Steadyhand proposes nothing more in it until you give it back',
  needs: 'take',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    const { id, rest } = namedIncident(words, { incident }, 'take inc-12')
    const how = rest[0]?.toLowerCase() ?? 'take'
    if (how !== 'take' && how !== 'over' && how !== 'back')
      throw new Refusal(
        'invalid-parameters',
        `"${how.slice(0, 40)}" says nothing here: it is "over" for one that somebody else has, or "back".`,
      )
    const { incident: taken, withdrawn } = demandKnown(await agent.take(id, personBehind(caller), how))
    if (how === 'back') return sentence(say`${bold('Given back')}: Steadyhand looks into ${taken.id} again and may propose actions.`)
    return answer(
      text(
        say`${bold('Yours')}: ${taken.id} ${taken.title}. Steadyhand proposes nothing more in it; it still watches. Give it back with ${code(`take ${taken.id} back`)}.`,
      ),
      ...withdrawnBlocks(withdrawn, say`Ask for it again with ${code('do')}, or “Check again” on its card.`),
    )
  },
}

/** What ended along with it: requests that nobody may approve any more, and what to do about that. */
export function withdrawnBlocks(withdrawn: readonly Approval[], then: readonly Span[] | null): CardBlock[] {
  if (withdrawn.length === 0) return []
  const titles = withdrawn.map(({ plan }) => bold(plan.action.title))
  return [
    text(
      say`And withdrew: ${joinSpans(
        titles.map((title) => [title]),
        '; ',
      )}. Nothing of it was run.${then ? say` ${then}` : ''}`,
    ),
  ]
}

export const snooze: Command = {
  name: 'snooze',
  usage: 'INCIDENT 30m|2h|1d|off [REASON]',
  summary: 'leaves an incident alone for a while: nothing is proposed, its end is still seen',
  needs: 'snooze',
  programs: false,
  async run({ words }, { agent, caller, incident, now }) {
    const { id, rest } = namedIncident(words, { incident }, 'snooze inc-12 2h')
    const [length = '', ...reason] = rest
    const until = length.toLowerCase() === 'off' ? null : new Date(now.getTime() + snoozeSeconds(length) * 1_000)
    const snoozed = demandKnown(await agent.snooze(id, personBehind(caller), until, shortReason(reason)))
    if (until === null) return sentence(say`${bold('Awake')}: ${snoozed.id} is looked after again.`)
    return sentence(
      say`${bold('Snoozed')}: ${snoozed.id} is left alone ${deadline(until, now)}. End it earlier with ${code(`snooze ${snoozed.id} off`)}.`,
    )
  },
}

/** @throws Refusal invalid-parameters */
export function snoozeSeconds(text: string): number {
  const seconds = parseDuration(text)
  if (seconds === null) throw new Refusal('invalid-parameters', 'Say for how long, for example: snooze inc-12 2h')
  if (seconds > LONGEST_SNOOZE_SECONDS)
    throw new Refusal(
      'invalid-parameters',
      `At most ${durationWords(LONGEST_SNOOZE_SECONDS)}; resolve it if nobody has to come back to it.`,
    )
  return seconds
}

export const severity: Command = {
  name: 'severity',
  usage: 'INCIDENT 1|2|3|4 [REASON]',
  summary: 'says how bad it is, whatever the rule made of it; 1 is the worst',
  needs: 'severity',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    // '2' alone is a severity in a thread, and no incident.
    const first = incident !== null && !/^(inc-|#)/i.test(words[0] ?? '') && words.length > 0 ? [incident, ...words] : words
    const { id, rest } = namedIncident(first, { incident }, 'severity inc-12 2 customers cannot pay')
    const [level = '', ...reason] = rest
    const wanted = /^(?:sev-?)?([1-4])$/i.exec(level)?.[1]
    if (wanted === undefined)
      throw new Refusal('invalid-parameters', 'Say 1, 2, 3 or 4, for example: severity inc-12 2 customers cannot pay')
    const changed = demandKnown(await agent.setSeverity(id, personBehind(caller), Number(wanted) as Severity, shortReason(reason)))
    return sentence(say`${changed.id} is ${bold(`Sev ${changed.severity}`)} now, by your word.`)
  },
}

export const merge: Command = {
  name: 'merge',
  usage: 'INCIDENT INTO',
  summary: 'ends the first incident as a part of the second; its alerts go there',
  needs: 'merge',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    const named = words.filter((word) => word.toLowerCase() !== 'into')
    const alone = named.length === 1 && incident !== null
    const [id, into] = alone ? [incident, incidentId(named[0])] : [incidentId(named[0]), incidentId(named[1])]
    if (id === null || into === null) throw new Refusal('invalid-parameters', 'Say which into which, for example: merge inc-13 inc-12')
    const merged = demandKnown(await agent.merge(id, into, personBehind(caller)))
    return answer(
      text(
        say`${bold('Merged')}: ${id} is a part of ${merged.incident.id} ${merged.incident.title} now, with ${merged.alerts} ${merged.alerts === 1 ? 'alert' : 'alerts'}.`,
      ),
      ...withdrawnBlocks(merged.withdrawn, say`Ask for it in ${merged.incident.id} with ${code('do')}, if it is still wanted.`),
    )
  },
}

export const split: Command = {
  name: 'split',
  usage: 'INCIDENT ALERT ...',
  summary: 'gives alerts, by their name or service, an incident of their own',
  needs: 'split',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    const { id, rest } = namedIncident(words, { incident }, 'split inc-12 HighLatency')
    if (rest.length === 0) throw new Refusal('invalid-parameters', 'Say which alerts, for example: split inc-12 HighLatency')
    const { opened } = demandKnown(await agent.split(id, rest, personBehind(caller)))
    return sentence(say`${bold('Split')}: ${opened.id} ${opened.title} stands for itself now, as Sev ${opened.severity}.`)
  },
}

export const feedback: Command = {
  name: 'feedback',
  usage: 'INCIDENT right|wrong [CAUSE] [of COMPONENT] [WORDS]',
  summary: 'says whether the diagnosis was right, and what it really was',
  needs: 'feedback',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    const { id, rest } = namedIncident(words, { incident }, 'feedback inc-12 wrong memory_leak of checkout')
    const [verdict, ...said] = rest
    if (verdict !== 'right' && verdict !== 'wrong')
      throw new Refusal('invalid-parameters', 'Say right or wrong, for example: feedback inc-12 wrong memory_leak of checkout')
    const really = verdict === 'wrong' ? whatItWas(said) : { class: null, component: null, words: shortReason(said) }
    const told = demandKnown(await agent.giveFeedback(id, personBehind(caller), { verdict, ...really }))
    return sentence(say`Noted for ${told.id}: ${bold(verdict)}. It counts in ${code('records')}; your last word is the one that counts.`)
  },
}

/** 'memory_leak of checkout, seen in the heap': a cause of the list, then where, then anything. What is no cause is only words. */
function whatItWas(said: readonly string[]): { class: FaultClass | null; component: string | null; words: string | null } {
  const [first = '', of, where, ...more] = said
  const name = first.toLowerCase().replaceAll('-', '_')
  const cause = ALL_FAULT_CLASSES.find((known) => known === name)
  if (cause === undefined) {
    const meant = first.includes('_') ? nearest(name, ALL_FAULT_CLASSES) : null
    if (meant !== null) throw new Refusal('invalid-parameters', `"${first.slice(0, 60)}" is no cause. Did you mean "${meant}"?`)
    return { class: null, component: null, words: shortReason(said) }
  }
  if (of?.toLowerCase() !== 'of' || where === undefined) return { class: cause, component: null, words: shortReason(said.slice(1)) }
  return { class: cause, component: where.replace(/[,.;:]+$/, '').slice(0, 200), words: shortReason(more) }
}
