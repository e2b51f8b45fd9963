/** @import { Tree } from './tree.js' */
import { moment } from './time.js'
import { h } from './tree.js'

const SHOWN = 50
/** Characters from which on the text of a cell is broken into lines. */
const LONG = 24
const LONGEST = 20_000

/**
 * What was stored of one question, readable: figures of each series, log lines, changes, commits and events as tables; of another shape as it is.
 *
 * @param {unknown} content
 * @param {Date} now
 * @returns {Tree[]}
 */
export function contentView(content, now) {
  const held = /** @type {Record<string, unknown>} */ (typeof content === 'object' && content !== null ? content : {})
  const parts = [
    ...series(held),
    ...table(
      'Where it began',
      ['where', 'score', 'what', 'times its usual spread', 'since'],
      list(held['components']).flatMap((one) => placeRows(one, now)),
    ),
    ...table(
      'Log lines',
      ['times', 'line', 'last'],
      list(held['patterns']).map((one) => [one['count'], one['sample'], time(one['last'], now)]),
    ),
    ...table(
      'Changes',
      ['at', 'what', 'by'],
      list(held['changes']).map((one) => [time(one['at'], now), one['summary'], one['by']]),
    ),
    ...table(
      'Commits',
      ['at', 'commit', 'what', 'by', 'files'],
      list(held['commits']).map((one) => [
        time(one['at'], now),
        one['short'],
        `${one['title']}${one['request'] ? ` (${one['request']})` : ''}`,
        one['author'],
        list(one['files'])
          .map((file) => file['path'])
          .join(', '),
      ]),
    ),
    ...table(
      'Events',
      ['at', 'what'],
      list(held['events']).map((one) => [time(one['at'], now), one['text']]),
    ),
  ]
  return parts.length > 0 ? parts : [h('pre', { class: 'content' }, (JSON.stringify(content, null, 2) ?? '').slice(0, LONGEST))]
}

/** @param {Record<string, unknown>} held */
function series(held) {
  const all = Array.isArray(held['points']) ? [held] : list(held['series'])
  const rows = all.map((one) => {
    const points = Array.isArray(one['points']) ? one['points'].filter((point) => Array.isArray(point) && Number.isFinite(point[1])) : []
    const values = points.map((point) => Number(point[1]))
    const last = points.at(-1)
    const unit = typeof one['unit'] === 'string' ? one['unit'] : ''
    const figures = [least(values), most(values), last ? Number(last[1]) : null].map((value) => figure(value, unit))
    return [one['metric'], ...figures, values.length]
  })
  return table('Series', ['what', 'lowest', 'highest', 'last', 'samples'], rows)
}

/**
 * @param {Record<string, unknown>} one
 * @param {Date} now
 */
function placeRows(one, now) {
  return list(one['reasons']).map((reason, i) => [
    i === 0 ? one['component'] : '',
    i === 0 ? figure(Number(one['score']), '') : '',
    reason['metric'],
    figure(Number(reason['times']), ''),
    time(reason['since'], now),
  ])
}

/** @param {number[]} values */
function least(values) {
  return values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b))
}

/** @param {number[]} values */
function most(values) {
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b))
}

/**
 * @param {number | null} value
 * @param {string} unit
 */
function figure(value, unit) {
  if (value !== null && unit === 'ratio') return `${Number((value * 100).toPrecision(3))} %`
  return value === null ? 'no data' : `${Number(value.toPrecision(4))}${unit === '' ? '' : ` ${unit}`}`
}

/**
 * @param {string} title
 * @param {string[]} heads
 * @param {unknown[][]} rows
 * @returns {Tree[]}
 */
function table(title, heads, rows) {
  if (rows.length === 0) return []
  const left = rows.length - SHOWN
  return [
    h(
      'div',
      { class: 'content', role: 'region', 'aria-label': title, tabindex: '0' },
      h(
        'table',
        null,
        h('caption', null, title),
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            heads.map((head) => h('th', null, head)),
          ),
        ),
        h(
          'tbody',
          null,
          rows.slice(0, SHOWN).map((row) =>
            h(
              'tr',
              null,
              row.map((cell) => cellView(String(cell ?? ''))),
            ),
          ),
        ),
      ),
      left > 0 ? h('p', { class: 'note' }, `and ${left} more, in all of it`) : null,
    ),
  ]
}

/** @param {string} text */
function cellView(text) {
  return h('td', { class: text.length > LONG ? 'long' : null }, text)
}

/**
 * @param {unknown} at
 * @param {Date} now
 */
function time(at, now) {
  const moments = new Date(String(at))
  return Number.isNaN(moments.getTime()) ? '' : moment(moments, now)
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>[]}
 */
function list(value) {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : []
}
