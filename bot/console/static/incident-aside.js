/** @import { Tree } from './tree.js' */
import { link } from './blocks.js'
import { contentView } from './evidence-content.js'
import { refusedView } from './loaded-view.js'
import { incidentHash } from './route.js'
import { clock, moment } from './time.js'
import { h } from './tree.js'
import { partWords } from './words.js'

/** @typedef {{ origin: string, now: Date, wide: boolean }} Place what a page is drawn for; `wide`: there is room for two columns */
/** @typedef {Place & { incident: string, content: import('./state.js').State['evidence'] | null }} Here */

/**
 * How sure the diagnosis is, part by part.
 *
 * @param {any} incident
 */
export function sureSection({ hypotheses }) {
  const [first] = hypotheses
  // That nothing is known is not known to a per cent.
  if (!first || first.class === 'unknown') return null
  const parts = first.parts.filter((/** @type {any} */ { weight }) => weight > 0)
  return h(
    'section',
    { key: 'sure', 'aria-labelledby': 'sure' },
    h('h2', { class: 'section', id: 'sure' }, 'How sure'),
    h('div', { class: 'sure' }, meter('All in all', first.confidence, null, 'total')),
    parts.map((/** @type {any} */ { name, score, weight, why }) =>
      h('div', { class: 'sure', key: name }, meter(`${partWords(name)}, counts ${Math.round(weight)} %`, score, why, 'part')),
    ),
  )
}

/**
 * @param {string} label
 * @param {number} score 0–100
 * @param {string | null} why
 * @param {string} look
 * @returns {Tree[]}
 */
function meter(label, score, why, look) {
  const value = Math.round(score)
  return [
    h('p', { class: look }, h('span', null, label), h('span', { class: 'number' }, look === 'total' ? `${value} %` : value)),
    h('meter', { min: 0, max: 100, low: 40, high: 75, optimum: 100, value, 'aria-label': label }, `${value} of 100`),
    ...(why ? [h('p', { class: 'note' }, why)] : []),
  ]
}

const LINKS_SHOWN = 6

/** @type {Readonly<Record<string, string>>} */
const STATUS = { empty: 'no data', failed: 'could not be read', denied: 'not permitted' }

/**
 * What was asked of which source, and what it answered. Folded where it would push the timeline out of reach: the card names what counts.
 *
 * @param {any} incident
 * @param {string} focus the label whose item is open
 * @param {Place} here
 * @param {import('./state.js').State['evidence'] | null} [content] of one of them
 */
export function evidenceSection({ id, evidence }, focus, here, content = null) {
  const context = { ...here, incident: id, content: content?.id === id ? content : null }
  const items = roundsOf(evidence).map(({ latest, earlier }) =>
    h(
      'li',
      { key: `${latest.kind} ${latest.source} ${latest.query}` },
      evidenceItem(latest, focus, context),
      earlierRounds(latest, earlier, focus, context),
    ),
  )
  const heading = h('h2', { class: 'section', id: 'evidence' }, items.length === 0 ? 'Evidence' : `Evidence (${items.length})`)
  return h(
    'section',
    { key: 'evidence', 'aria-labelledby': 'evidence' },
    items.length === 0
      ? [heading, h('p', { class: 'empty' }, 'Nothing was collected yet.')]
      : h('details', { class: 'fold', open: here.wide }, h('summary', null, heading), h('ul', { class: 'evidence' }, items)),
  )
}

const MOMENTS = /\d{4}-\d{2}-\d{2}T[\d:.]+Z/g

/**
 * Each question once, with its last answer and the earlier ones: every round of investigation asks them all again.
 *
 * @param {readonly any[]} evidence
 * @returns {{ latest: any, earlier: any[] }[]}
 */
export function roundsOf(evidence) {
  /** @type {Map<string, any[]>} */
  const asked = new Map()
  for (const item of evidence) {
    const key = [item.kind, item.source, item.query.replace(MOMENTS, '')].join('\n')
    asked.set(key, [...(asked.get(key) ?? []), item])
  }
  return [...asked.values()].map((items) => ({ latest: items.at(-1), earlier: items.slice(0, -1) }))
}

/**
 * @param {any} latest
 * @param {readonly any[]} earlier
 * @param {string} focus
 * @param {Here} context
 */
function earlierRounds(latest, earlier, focus, context) {
  if (earlier.length === 0) return null
  const unchanged = earlier.every(({ summary }) => summary === latest.summary)
  return h(
    'details',
    { class: 'earlier', open: earlier.some(({ label }) => label === focus) },
    h('summary', { class: 'note' }, `checked ${earlier.length + 1} times${unchanged ? ', unchanged' : ''}`),
    h(
      'ul',
      null,
      earlier.map((item) => h('li', { key: item.label }, evidenceItem(item, focus, context))),
    ),
  )
}

/**
 * What the senders of the alerts say where more is to be found: their words, unchecked.
 *
 * @param {any} incident
 * @param {Place} context
 */
export function alertsSection({ alerts }, context) {
  const said = new Map()
  for (const { source, name, link: page, annotations } of alerts) {
    for (const [what, url] of [
      ['Page', page],
      ['Runbook', annotations?.['runbook_url']],
    ]) {
      if (typeof url === 'string' && /^https?:\/\//i.test(url)) said.set(`${what} ${url}`, { what, url, source, name })
    }
  }
  if (said.size === 0) return null
  return h(
    'section',
    { key: 'alerts', 'aria-labelledby': 'alerts' },
    h('h2', { class: 'section', id: 'alerts' }, 'From the senders of the alerts'),
    h('p', { class: 'note' }, 'Their addresses, as they came; Steadyhand has not looked at them.'),
    h(
      'ul',
      { class: 'senders' },
      [...said.values()]
        .slice(0, LINKS_SHOWN)
        .map(({ what, url, source, name }) =>
          h('li', { key: `${what} ${url}` }, h('p', null, `${what} of ${name}, from ${source}: ${url} `), link(url, 'Open', context)),
        ),
    ),
  )
}

/**
 * @param {any} item
 * @param {string} focus
 * @param {Here} context
 */
function evidenceItem(item, focus, context) {
  const status = STATUS[item.status]
  const from = moment(new Date(item.from), context.now)
  const rows = [
    ['Question', h('code', null, item.query)],
    ['Window', `${from} to ${clock(new Date(item.to))}`],
    ['Source', item.link ? link(item.link, item.source, context) : item.source],
    [
      'Kept as',
      h(
        'a',
        { href: `/api/v1/incidents/${context.incident}/evidence/${item.label}`, target: '_blank', rel: 'noopener' },
        `all of it (${item.hash.slice(0, 12)})`,
      ),
    ],
    ['Content', contentOf(item, context)],
  ]
  return h(
    'details',
    { id: `evidence-${item.label}`, open: focus === item.label },
    h(
      'summary',
      null,
      h('code', null, item.label),
      h(
        'span',
        null,
        h('span', { class: 'note' }, `${item.kind}${status ? ` · ${status}` : ''}`),
        h('span', { class: 'summary' }, item.summary),
      ),
    ),
    h(
      'dl',
      { class: 'small-facts' },
      rows.map(([label, value]) => h('div', null, h('dt', null, label), h('dd', null, value))),
    ),
  )
}

/**
 * What the result says, once it was asked for.
 *
 * @param {any} item
 * @param {Here} context
 */
function contentOf({ label }, { incident, content, now }) {
  if (!content || content.label !== label) return h('a', { href: incidentHash(incident, label) }, 'show it here')
  if (content.refused) return refusedView(content.refused, 'evidence')
  return content.data ? contentView(content.data.content, now) : 'Reading…'
}

/** @param {any} incident */
export function timelineSection({ timeline }) {
  if (timeline.length === 0) return null
  const lines = timeline.map((/** @type {any} */ { seq, at, text }) =>
    h('li', { key: String(seq) }, h('time', { datetime: at }, clock(new Date(at))), h('span', null, text)),
  )
  return h(
    'section',
    { key: 'timeline', 'aria-labelledby': 'timeline' },
    h('h2', { class: 'section', id: 'timeline' }, 'Timeline'),
    h('ol', { class: 'timeline' }, lines),
  )
}
