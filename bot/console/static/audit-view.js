/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { loading, refusedView } from './loaded-view.js'
import { personName } from './mode.js'
import { incidentHash } from './route.js'
import { clock, moment } from './time.js'
import { h } from './tree.js'

/**
 * The chain of what was done by whom, and whether it holds.
 *
 * @param {State} state
 * @param {{ now: Date }} context
 * @returns {Tree[]}
 */
export function auditView({ audit, report, people }, { now }) {
  return [
    h(
      'div',
      { class: 'column wide' },
      h('h1', { class: 'page-title' }, 'Audit'),
      h(
        'p',
        { class: 'note' },
        'Every entry is sealed by the hash of the one before it. Verifying recomputes the chain from its first entry and checks that nothing ever ran without its clicks.',
      ),
      h(
        'div',
        { class: 'actions' },
        h(
          'button',
          { type: 'button', class: 'button primary', disabled: report.busy, 'data-do': 'verify' },
          report.busy ? 'Verifying…' : 'Verify',
        ),
      ),
      report.busy
        ? h(
            'p',
            { key: 'busy', class: 'note', role: 'status' },
            'Recomputing every entry, and asking the rows for each promise. A long chain takes a while.',
          )
        : null,
      reportView(report),
      h('h2', { class: 'section' }, 'Latest entries'),
      entriesView(audit, people, now),
    ),
  ]
}

/**
 * @param {State['report']} report
 * @returns {Tree | null}
 */
function reportView({ data, refused, at, busy }) {
  if (busy) return null
  if (refused) return refusedView(refused, 'report')
  if (!data) return null
  const head = h('code', null, data.head.slice(0, 12))
  if (data.ok)
    return h(
      'p',
      { class: 'banner good', role: 'status' },
      `All ${data.entries} entries hold, and nothing ran without its clicks${at ? ` (verified at ${clock(at)})` : ''}. Head `,
      head,
    )
  return h(
    'div',
    { class: 'banner bad', role: 'alert' },
    h(
      'p',
      null,
      h('strong', null, `${data.violations.length} ${data.violations.length === 1 ? 'thing is' : 'things are'} not as they should be.`),
      ` ${data.entries} entries, head `,
      head,
    ),
    h(
      'ul',
      null,
      data.violations.map((/** @type {string} */ violation) => h('li', null, violation)),
    ),
  )
}

/**
 * @param {State['audit']} audit
 * @param {State['people']} people
 * @param {Date} now
 * @returns {Tree[]}
 */
function entriesView({ data, refused, next, busy }, people, now) {
  if (refused) return [refusedView(refused, 'audit')]
  if (!data) return [loading('Reading the chain…')]
  if (data.length === 0) return [h('p', { class: 'empty' }, 'Nothing has been done yet.')]
  const rows = data.map((/** @type {any} */ { seq, at, actor, words, what, hash, incident, approval }) =>
    h(
      'li',
      { key: String(seq) },
      h('span', { class: 'number' }, seq),
      h('time', { datetime: at }, moment(new Date(at), now)),
      h('span', { title: what }, h('strong', null, actorName(actor, people)), ` ${words}`),
      h(
        'span',
        { class: 'entry-end' },
        incident ? h('a', { href: incidentHash(incident, approval ?? undefined) }, incident) : null,
        h('code', { title: `sealed by ${hash}` }, hash.slice(0, 8)),
      ),
    ),
  )
  return [
    h('ol', { class: 'entries' }, rows),
    ...(next
      ? [
          h(
            'button',
            { type: 'button', class: 'button more', disabled: busy, 'data-do': 'more-audit' },
            busy ? 'Reading…' : 'Show older ones',
          ),
        ]
      : []),
  ]
}

/**
 * @param {string} actor
 * @param {State['people']} people
 */
function actorName(actor, people) {
  if (actor === 'steadyhand') return 'Steadyhand'
  if (actor === 'configuration') return 'The configuration'
  return actor === 'host' ? 'The host' : personName(actor, people)
}
