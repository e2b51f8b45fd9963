/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { viewOfBlocks } from './blocks.js'
import { h } from './tree.js'
import { personWords, refusalWords, stopOf } from './words.js'

/**
 * The frame of every page: where one is, whether Steadyhand may act, who one is, and how to stop everything.
 *
 * @param {State} state
 * @param {{ origin: string, now: Date }} context
 * @param {Tree[]} content
 * @returns {Tree[]}
 */
export function shellView(state, context, content) {
  return [
    h(
      'header',
      { class: 'top' },
      h('a', { class: 'brand', href: '#/' }, h('span', { class: 'mark', 'aria-hidden': 'true' }), 'Steadyhand'),
      h(
        'nav',
        { 'aria-label': 'Pages' },
        pageLink('#/', 'Incidents', state.route.page !== 'audit'),
        pageLink('#/audit', 'Audit', state.route.page === 'audit'),
      ),
      h('div', { class: 'top-end' }, modePill(state), stopButton(state), who(state)),
    ),
    ...notices(state, context),
    h('main', { id: 'main', tabindex: '-1', class: state.route.page }, content),
  ]
}

/**
 * @param {string} href
 * @param {string} text
 * @param {boolean} current
 */
function pageLink(href, text, current) {
  return h('a', { href, 'aria-current': current ? 'page' : null }, text)
}

/** @param {State} state */
function modePill({ mode, connection, people }) {
  if (connection === 'lost') return h('span', { class: 'pill bad' }, 'No connection')
  if (!mode) return h('span', { class: 'pill calm' }, 'Connecting…')
  const stop = stopOf(mode, people)
  if (stop) return h('span', { class: 'pill bad' }, 'Stopped ', h('span', { class: 'pill-more' }, `by ${stop.by} at ${stop.at}`))
  return mode.mode === 'act' ? h('span', { class: 'pill good' }, 'Acts after a click') : h('span', { class: 'pill ask' }, 'Observes only')
}

/** @param {State} state */
function stopButton({ mode, people }) {
  if (stopOf(mode, people))
    return h('button', { key: 'start', type: 'button', class: 'button small', 'data-do': 'start-again' }, 'Start again')
  return h('button', { key: 'stop', type: 'button', class: 'button small stop', 'data-do': 'stop' }, 'Stop everything')
}

/** @param {State} state */
function who({ me, people }) {
  if (!me) return null
  const others = (people ?? []).filter(({ id }) => id !== me.id)
  return h(
    'details',
    { class: 'who', key: 'who' },
    h('summary', null, h('span', { class: 'unseen' }, 'Signed in as '), me.name),
    h(
      'div',
      { class: 'menu' },
      h('p', { class: 'note' }, `Signed in as ${personWords(me)}.`),
      others.map((person) =>
        h(
          'button',
          { key: person.id, type: 'button', class: 'button', 'data-do': 'sign-in', 'data-ref': person.id },
          `Be ${personWords(person)}`,
        ),
      ),
      h('button', { key: '', type: 'button', class: 'button', 'data-do': 'sign-out' }, 'Sign out'),
    ),
  )
}

/**
 * @param {State} state
 * @param {{ origin: string, now: Date }} context
 * @returns {Tree[]}
 */
function notices(state, context) {
  const { mode, control, connection } = state
  const parts = [
    connection === 'lost'
      ? h(
          'p',
          { key: 'lost', class: 'banner bad', role: 'alert' },
          'The connection is interrupted. What you see may be old; this page tries again by itself.',
        )
      : null,
    mode?.mode === 'observe'
      ? h('div', { key: 'observe', class: `banner ${stopOf(mode, state.people) ? 'bad' : 'ask'}` }, observing(mode, state.people))
      : null,
    control?.refused ? h('p', { key: 'refused', class: 'banner bad', role: 'alert' }, refusalWords(control.refused), dismiss()) : null,
    control?.blocks
      ? h('div', { key: 'control', class: 'banner calm', role: 'status' }, h('div', null, viewOfBlocks(control.blocks, context)), dismiss())
      : null,
    state.me ? null : signIn(state),
  ]
  return parts.filter((part) => part !== null)
}

function dismiss() {
  return h('button', { type: 'button', class: 'button small', 'data-do': 'dismiss' }, 'Close')
}

/**
 * @param {{ mode: string, reasons: readonly string[] }} mode
 * @param {readonly any[] | null} people
 */
function observing(mode, people) {
  const stop = stopOf(mode, people)
  const head = stop ? `Steadyhand was stopped by ${stop.by} at ${stop.at}` : 'Steadyhand observes only'
  const words = `${head}: it investigates and explains, and runs nothing.`
  const reasons = stop ? mode.reasons.filter((reason) => stopOf({ ...mode, reasons: [reason] }, people) === null) : mode.reasons
  return reasons.length === 0
    ? h('p', null, words)
    : [
        h('p', null, words),
        h(
          'ul',
          null,
          reasons.map((reason) => h('li', null, reason)),
        ),
      ]
}

/** @param {State} state */
function signIn({ people, signInRefused }) {
  if (!people) return null
  return h(
    'section',
    { key: 'sign-in', class: 'banner calm sign-in', 'aria-label': 'Sign in' },
    h('p', null, h('strong', null, 'Who are you?'), ' Reading needs no name; deciding does. These people are for trying things out.'),
    h(
      'div',
      { class: 'actions' },
      people.map((person) =>
        h(
          'button',
          { key: person.id, type: 'button', class: 'button small', 'data-do': 'sign-in', 'data-ref': person.id },
          personWords(person),
        ),
      ),
    ),
    signInRefused ? h('p', { class: 'refused', role: 'alert' }, refusalWords(signInRefused)) : null,
  )
}
