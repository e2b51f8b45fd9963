/**
 * Whether Steadyhand may act, as it said itself at `at`, and what was stopped by whom. `startVotes`: who has said start since; two are needed.
 *
 * @typedef {{ scope: string, by: string, at: string, startVotes: string[] }} Stop
 * @typedef {{ mode: string, reasons: string[], stops: Stop[], at: Date }} Mode
 * @typedef {{ id: string, name: string }} Person
 */

const EVERYTHING = '*'

/**
 * The stop of everything; null while there is none. A stop of one environment or action is none.
 *
 * @param {Mode | null} mode
 * @returns {Stop | null}
 */
export function stopOf(mode) {
  return mode?.stops.find(({ scope }) => scope === EVERYTHING) ?? null
}

/**
 * Why it only observes, besides the stop of everything.
 *
 * @param {Mode} mode
 */
export function otherReasons({ reasons }) {
  return reasons.filter((reason) => !reason.startsWith('Stopped by '))
}

/**
 * What the mode is in short; a notice about it is old as soon as this is another.
 *
 * @param {import('./state.js').State} state
 */
export function modeMark({ mode, modeRefused }) {
  return JSON.stringify([mode?.mode, mode?.stops, modeRefused?.code])
}

/**
 * What starting again needs, in words for this reader, and whether their word is in already.
 *
 * @param {Stop} stop
 * @param {Person | null} me
 * @param {readonly Person[] | null} people
 * @returns {{ words: string, mine: boolean }}
 */
export function startWords({ startVotes }, me, people) {
  if (startVotes.length === 0) return { words: 'To start again, two people have to say so.', mine: false }
  const mine = me !== null && startVotes.includes(me.id)
  const names = startVotes.map((id) => personName(id, people)).join(', ')
  return mine
    ? { words: 'You said start: it waits for one more person with the role approver.', mine }
    : { words: `${names} said start: the word of one more person with the role approver starts it at once.`, mine }
}

/**
 * @param {string} id
 * @param {readonly Person[] | null} people
 */
export function personName(id, people) {
  if (id === 'host') return 'the command line on the host'
  return people?.find((person) => person.id === id)?.name ?? id
}
