/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { askView } from './ask-view.js'
import { loading, refusedView } from './loaded-view.js'
import { personName } from './mode.js'
import { incidentHash } from './route.js'
import { age, clock, countdown, moment } from './time.js'
import { h } from './tree.js'
import { expectsWords, personWords, refusalWords, stateTone, stateWords, waitsFor } from './words.js'

/**
 * What waits, what is open, and what can be practised.
 *
 * @param {State} state
 * @param {{ origin: string, now: Date }} context
 * @returns {Tree[]}
 */
export function homeView(state, context) {
  return [
    h(
      'div',
      { class: 'column' },
      h('h1', { class: 'unseen' }, 'Incidents and drills'),
      waiting(state, context),
      incidentSections(state, context),
      askView(state, context, ''),
    ),
    h('div', { class: 'column' }, drillsSection(state)),
  ]
}

/**
 * @param {State} state
 * @param {{ now: Date }} context
 */
function waiting({ pending, me }, { now }) {
  const items = pending.data ?? []
  if (items.length === 0) return null
  const mine = items.filter((/** @type {any} */ item) => waitsFor(me, item))
  const others = items.filter((/** @type {any} */ item) => !mine.includes(item))
  return [
    waitingSection('mine', `Waiting for you (${mine.length})`, mine, now),
    waitingSection('waiting', `Waiting for ${mine.length > 0 ? 'others' : 'approval'} (${others.length})`, others, now),
  ]
}

/**
 * @param {string} key
 * @param {string} title
 * @param {any[]} items
 * @param {Date} now
 */
function waitingSection(key, title, items, now) {
  if (items.length === 0) return null
  const rows = items.map(({ id, incident, plan, votes, needed, expiresAt }) => {
    const have = votes.filter((/** @type {any} */ vote) => vote.decision === 'approve').length
    return h(
      'li',
      { key: id },
      h(
        'a',
        { class: 'row ask', href: incidentHash(incident, id) },
        h('span', { class: 'row-title' }, plan.action.title),
        h('span', { class: 'row-more' }, `${incident} · ${have} of ${needed} approved · ${countdown(new Date(expiresAt), now)}`),
      ),
    )
  })
  return h('section', { key, 'aria-labelledby': key }, h('h2', { class: 'section', id: key }, title), h('ul', { class: 'rows' }, rows))
}

/**
 * @param {State} state
 * @param {{ now: Date }} context
 */
function incidentSections({ incidents, ended }, { now }) {
  const count = incidents.data ? ` (${incidents.data.length})` : ''
  return [
    h(
      'section',
      { key: 'incidents', 'aria-labelledby': 'incidents' },
      h('h2', { class: 'section', id: 'incidents' }, `Open incidents${count}`),
      openRows(incidents, now),
    ),
    endedSection(ended, now),
  ]
}

/**
 * @param {import('./state.js').Loaded} incidents
 * @param {Date} now
 * @returns {Tree}
 */
function openRows({ data, refused }, now) {
  if (refused) return refusedView(refused, 'incidents')
  if (!data) return loading('Reading the incidents…')
  if (data.length === 0) return h('p', { class: 'empty' }, 'Nothing is wrong right now. Start a drill to see the loop.')
  return h(
    'ul',
    { class: 'rows', 'aria-live': 'polite', 'aria-relevant': 'additions' },
    data.map((/** @type {any} */ incident) => h('li', { key: incident.id }, incidentRow(incident, now))),
  )
}

/**
 * @param {State['ended']} ended
 * @param {Date} now
 */
function endedSection({ data, refused, next, busy }, now) {
  if (!refused && !(data?.length > 0 || next)) return null
  return h(
    'section',
    { key: 'ended', 'aria-labelledby': 'ended' },
    h('h2', { class: 'section', id: 'ended' }, 'Ended'),
    refused ? refusedView(refused, 'incidents') : null,
    h(
      'ul',
      { class: 'rows' },
      (data ?? []).map((/** @type {any} */ incident) => h('li', { key: incident.id }, incidentRow(incident, now))),
    ),
    next
      ? h(
          'button',
          { type: 'button', class: 'button more', disabled: busy, 'data-do': 'more-ended' },
          busy ? 'Reading…' : 'Show older ones',
        )
      : null,
  )
}

/**
 * @param {any} incident
 * @param {Date} now
 */
function incidentRow({ id, title, service, severity, state, openedAt, endedAt, run }, now) {
  const since = age(new Date(openedAt), now)
  const open = since === 'just now' ? since : `for ${since}`
  const when = endedAt === null ? open : moment(new Date(endedAt), now)
  return h(
    'a',
    { class: `row ${stateTone(state)}`, href: incidentHash(id) },
    h('span', { class: 'row-title' }, h('span', { class: `sev sev-${severity}` }, `Sev ${severity}`), title),
    h('span', { class: 'row-more' }, `${stateWords(state)} · ${when} · ${id} · ${service}${run ? ' · drill' : ''}`),
  )
}

/** @param {State} state */
function drillsSection(state) {
  const { drills, run, running } = state
  const items = drills.data ?? []
  if (drills.data && items.length === 0) return null
  const busy = running !== null || run?.state === 'running'
  return h(
    'section',
    { key: 'drills', 'aria-labelledby': 'drills' },
    h('h2', { class: 'section', id: 'drills' }, 'Drills'),
    h(
      'p',
      { class: 'note' },
      'A drill breaks the local shop for real: real processes, real errors, and it is put right again afterwards. One at a time.',
    ),
    runView(running ?? run, state),
    drills.refused
      ? refusedView(drills.refused, 'drills')
      : drills.data
        ? h(
            'ul',
            { class: 'drills' },
            items.map((/** @type {any} */ item) => drillRow(item, busy, state)),
          )
        : loading('Reading the drills…'),
  )
}

/**
 * @param {any} item
 * @param {boolean} busy
 * @param {State} state
 */
function drillRow({ name, title, expects }, busy, { running, run, drillRefused, people, me }) {
  const refused = drillRefused?.name === name ? drillRefused : null
  return h(
    'li',
    { key: name, class: 'drill' },
    h('div', null, h('h3', null, title), h('p', { class: 'note' }, h('code', null, name), ` · ${expectsWords(expects)}`)),
    h(
      'button',
      {
        type: 'button',
        class: 'button',
        disabled: busy,
        'data-do': 'start-drill',
        'data-ref': name,
        'aria-label': `Start the drill ${title}`,
      },
      busy && (running ?? run)?.name === name ? 'Running' : 'Start',
    ),
    refused
      ? h(
          'div',
          { class: 'panel', role: 'alert' },
          h('p', { class: 'refused' }, refusalWords(refused)),
          refused.code === 'no-person' && !me ? beSomebody(people) : null,
        )
      : null,
  )
}

/** @param {State['people']} people */
function beSomebody(people) {
  if (!people) return null
  return h(
    'div',
    { class: 'actions' },
    people.map((person) =>
      h(
        'button',
        { key: person.id, type: 'button', class: 'button small', 'data-do': 'sign-in', 'data-ref': person.id },
        `Be ${personWords(person)}`,
      ),
    ),
  )
}

/**
 * @param {any} run
 * @param {State} state
 */
function runView(run, { people }) {
  if (!run) return null
  const where = run.incident
    ? h('a', { href: incidentHash(run.incident) }, 'Go to its incident')
    : run.state === 'running'
      ? 'An alert follows in a few seconds.'
      : null
  const by = run.startedBy ? `, started by ${personName(run.startedBy, people)}` : ''
  const since = run.startedAt ? `, since ${clock(new Date(run.startedAt))}` : ''
  const words =
    run.state === 'running'
      ? `The drill ${run.name} is running${by}${since}. Another can be started when it has ended. `
      : `The drill ${run.name} ${run.state}. ${run.words ?? ''} `
  return h(
    'p',
    { key: 'run', class: `banner ${run.state === 'failed' ? 'bad' : run.state === 'passed' ? 'good' : 'busy'}`, role: 'status' },
    words,
    where,
  )
}
