/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { askView } from './ask-view.js'
import { loading, refusedView } from './loaded-view.js'
import { incidentHash } from './route.js'
import { age, countdown } from './time.js'
import { h } from './tree.js'
import { expectsWords, refusalWords, stateTone, stateWords } from './words.js'

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
      incidentsSection(state, context),
    ),
    h('div', { class: 'column' }, drillsSection(state), askView(state, context, '')),
  ]
}

/**
 * @param {State} state
 * @param {{ now: Date }} context
 */
function waiting({ pending }, { now }) {
  const items = pending.data ?? []
  if (items.length === 0) return null
  const rows = items.map((/** @type {any} */ { id, incident, plan, votes, needed, expiresAt }) => {
    const have = votes.filter((/** @type {any} */ vote) => vote.decision === 'approve').length
    return h(
      'li',
      { key: id },
      h(
        'a',
        { class: 'row ask', href: incidentHash(incident, id) },
        h('span', { class: 'row-title' }, plan.action.title),
        h('span', { class: 'row-more' }, `${have} of ${needed} approved · ${countdown(new Date(expiresAt), now)}`),
      ),
    )
  })
  return h(
    'section',
    { key: 'waiting', 'aria-labelledby': 'waiting' },
    h('h2', { class: 'section', id: 'waiting' }, 'Waiting for a click'),
    h('ul', { class: 'rows' }, rows),
  )
}

/**
 * @param {State} state
 * @param {{ now: Date }} context
 */
function incidentsSection({ incidents }, { now }) {
  return h(
    'section',
    { key: 'incidents', 'aria-labelledby': 'incidents' },
    h('h2', { class: 'section', id: 'incidents' }, 'Incidents'),
    incidentRows(incidents, now),
  )
}

/**
 * @param {import('./state.js').Loaded} incidents
 * @param {Date} now
 * @returns {Tree}
 */
function incidentRows({ data, refused }, now) {
  if (refused) return refusedView(refused, 'incidents')
  if (!data) return loading('Reading the incidents…')
  if (data.length === 0) return h('p', { class: 'empty' }, 'Nothing is wrong right now. Start a drill to see the loop.')
  return h(
    'ul',
    { class: 'rows' },
    data.map((/** @type {any} */ incident) => h('li', { key: incident.id }, incidentRow(incident, now))),
  )
}

/**
 * @param {any} incident
 * @param {Date} now
 */
function incidentRow({ id, title, service, severity, state, openedAt, run }, now) {
  const since = age(new Date(openedAt), now)
  return h(
    'a',
    { class: `row ${stateTone(state)}`, href: incidentHash(id) },
    h('span', { class: 'row-title' }, h('span', { class: `sev sev-${severity}` }, `Sev ${severity}`), title),
    h('span', { class: 'row-more' }, `${stateWords(state)} · ${service} · ${since}${run ? ' · drill' : ''}`),
  )
}

/** @param {State} state */
function drillsSection({ drills, run, drillRefused }) {
  const items = drills.data ?? []
  if (drills.data && items.length === 0) return null
  const running = run?.state === 'running'
  const rows = items.map((/** @type {any} */ { name, title, expects }) =>
    h(
      'li',
      { key: name, class: 'drill' },
      h('div', null, h('h3', null, title), h('p', { class: 'note' }, h('code', null, name), ` · ${expectsWords(expects)}`)),
      h(
        'button',
        {
          type: 'button',
          class: 'button',
          disabled: running,
          'data-do': 'start-drill',
          'data-ref': name,
          'aria-label': `Start the drill ${title}`,
        },
        'Start',
      ),
    ),
  )
  return h(
    'section',
    { key: 'drills', 'aria-labelledby': 'drills' },
    h('h2', { class: 'section', id: 'drills' }, 'Drills'),
    h('p', { class: 'note' }, 'A drill breaks the local shop for real: real processes, real errors, and it is put right again afterwards.'),
    runView(run),
    drillRefused ? h('p', { class: 'refused', role: 'alert' }, refusalWords(drillRefused)) : null,
    drills.refused
      ? refusedView(drills.refused, 'drills')
      : drills.data
        ? h('ul', { class: 'drills' }, rows)
        : loading('Reading the drills…'),
  )
}

/** @param {any} run */
function runView(run) {
  if (!run) return null
  const where = run.incident
    ? h('a', { href: incidentHash(run.incident) }, 'Go to its incident')
    : run.state === 'running'
      ? 'An alert follows in a few seconds.'
      : null
  const words = run.state === 'running' ? `The drill ${run.name} is running. ` : `The drill ${run.name} ${run.state}. ${run.words ?? ''} `
  return h(
    'p',
    { key: 'run', class: `banner ${run.state === 'failed' ? 'bad' : run.state === 'passed' ? 'good' : 'busy'}`, role: 'status' },
    words,
    where,
  )
}
