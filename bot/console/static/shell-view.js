/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { viewOfBlocks } from './blocks.js'
import { otherReasons, personName, startWords, stopOf } from './mode.js'
import { signInButton } from './sign-in-button.js'
import { clock } from './time.js'
import { h } from './tree.js'
import { personWords, refusalWords } from './words.js'

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
      h(
        'a',
        { class: 'brand', href: '#/' },
        h('span', { class: 'mark', 'aria-hidden': 'true' }),
        h('span', { class: 'name' }, 'Steadyhand'),
      ),
      h(
        'nav',
        { 'aria-label': 'Pages' },
        pageLink('#/', 'Incidents', state.route.page === 'home' || state.route.page === 'incident'),
        pageLink('#/services', 'Services', state.route.page === 'services'),
        pageLink('#/records', 'Records', state.route.page === 'records'),
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
function modePill({ mode, modeRefused, people }) {
  if (modeRefused) return h('span', { class: 'pill bad' }, modeRefused.status === 0 ? 'State unknown' : 'Not ready')
  if (!mode) return h('span', { class: 'pill calm' }, 'Connecting…')
  const stop = stopOf(mode)
  if (stop) return h('span', { class: 'pill bad' }, 'Stopped ', h('span', { class: 'pill-more' }, stopWords(stop, people)))
  return mode.mode === 'act' ? h('span', { class: 'pill good' }, 'Acts after a click') : h('span', { class: 'pill ask' }, 'Observes only')
}

/**
 * 'by Alice at 02:10:00'
 *
 * @param {import('./mode.js').Stop} stop
 * @param {State['people']} people
 */
function stopWords({ by, at }, people) {
  return `by ${personName(by, people)} at ${clock(new Date(at))}`
}

/** @param {State} state */
function stopButton({ mode, me, people }) {
  const stop = stopOf(mode)
  if (!stop) return h('button', { key: 'stop', type: 'button', class: 'button small stop', 'data-do': 'stop' }, 'Stop everything')
  if (startWords(stop, me, people).mine) return h('span', { key: 'started', class: 'note' }, '1 of 2 said start')
  return h('button', { key: 'start', type: 'button', class: 'button small', 'data-do': 'start-again' }, 'Start again')
}

/** @param {State} state */
function who({ me, people, signIn }) {
  if (!me) return null
  const others = signIn?.way === 'name' ? (people ?? []).filter(({ id }) => id !== me.id) : []
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
  const { mode, modeRefused, control, connection } = state
  const parts = [
    modeRefused ? h('div', { key: 'unknown', class: 'banner bad', role: 'alert' }, unknownWords(modeRefused, mode, context)) : null,
    connection === 'lost' && !modeRefused
      ? h(
          'p',
          { key: 'lost', class: 'banner bad', role: 'alert' },
          'News do not arrive: what you see may be old. This page tries again by itself.',
        )
      : null,
    mode?.mode === 'observe' && !modeRefused
      ? h('div', { key: 'observe', class: `banner ${stopOf(mode) ? 'bad' : 'ask'}` }, observing(mode, state))
      : null,
    control?.refused ? h('p', { key: 'refused', class: 'banner bad', role: 'alert' }, refusalWords(control.refused), dismiss()) : null,
    control?.blocks
      ? h('div', { key: 'control', class: 'banner calm', role: 'status' }, h('div', null, viewOfBlocks(control.blocks, context)), dismiss())
      : null,
    state.me ? null : signInPart(state),
  ]
  return parts.filter((part) => part !== null)
}

function dismiss() {
  return h('button', { type: 'button', class: 'button small', 'data-do': 'dismiss' }, 'Close')
}

/**
 * A process that does not answer may be dead or may be acting: nobody can tell from here.
 *
 * @param {NonNullable<State['modeRefused']>} refused
 * @param {State['mode']} mode
 * @param {{ origin: string }} context
 */
function unknownWords(refused, mode, { origin }) {
  if (refused.status !== 0) return h('p', null, `Steadyhand is not ready. ${refusalWords(refused)} This page tries again by itself.`)
  const last = mode ? ` At ${clock(mode.at)} it said: ${lastKnown(mode)}.` : ''
  return [
    h('p', null, h('strong', null, 'The connection is interrupted.'), ` Whether Steadyhand acts now is not known.${last}`),
    h(
      'p',
      null,
      `Nobody answers at ${origin}. See whether its process still runs, and start it again with `,
      h('code', null, 'npm start'),
      ' if not; what was begun goes on from where it was. What you see may be old. This page tries again by itself.',
    ),
  ]
}

/** @param {import('./mode.js').Mode} mode */
function lastKnown(mode) {
  if (stopOf(mode)) return 'stopped'
  return mode.mode === 'act' ? 'acts after a click' : 'observes only'
}

/**
 * @param {import('./mode.js').Mode} mode
 * @param {State} state
 */
function observing(mode, { me, people }) {
  const stop = stopOf(mode)
  const head = stop ? `Steadyhand was stopped ${stopWords(stop, people)}` : 'Steadyhand observes only'
  const start = stop ? ` ${startWords(stop, me, people).words}` : ''
  const reasons = otherReasons(mode)
  return [
    h('p', null, `${head}: it investigates and explains, and runs nothing.${start}`),
    reasons.length === 0
      ? null
      : h(
          'ul',
          null,
          reasons.map((reason) => h('li', null, reason)),
        ),
  ]
}

/** @param {State} state */
function signInPart({ people, signIn, signInRefused, sessionEnded }) {
  if (signIn?.way === 'provider')
    return h(
      'section',
      {
        key: 'sign-in',
        class: `banner ${sessionEnded ? 'ask' : 'calm'} sign-in`,
        'aria-label': 'Sign in',
        ...(sessionEnded ? { role: 'alert' } : {}),
      },
      h(
        'p',
        null,
        h('strong', null, sessionEnded ? 'Your session has ended.' : 'You are not signed in.'),
        ' What you see may be old, and deciding needs a person who is signed in.',
      ),
      h('div', { class: 'actions' }, signInButton()),
    )
  if (!people || signIn?.way !== 'name') return null
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
