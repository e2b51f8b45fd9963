/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { loading, refusedView } from './loaded-view.js'
import { incidentHash } from './route.js'
import { clock } from './time.js'
import { h } from './tree.js'

/**
 * What models were told, said, asked and concluded, step by step, once somebody asks for it; nothing where no model was asked.
 *
 * @param {any} incident
 * @param {State['trace']} trace
 * @returns {Tree | null}
 */
export function traceSection({ id, model }, trace) {
  if (!model) return null
  return h(
    'section',
    { key: 'trace', id: 'section-trace', tabindex: '-1', 'aria-labelledby': 'trace' },
    h('h2', { class: 'section', id: 'trace' }, 'What a model did'),
    trace.id === id ? runsView(id, trace) : h('a', { class: 'button small', href: incidentHash(id, 'trace') }, 'Show every step'),
  )
}

/**
 * @param {string} id
 * @param {State['trace']} trace
 * @returns {Tree[]}
 */
function runsView(id, { data, refused }) {
  if (refused) return [refusedView(refused, 'trace')]
  if (!data) return [loading('Reading the steps…')]
  return [
    h('p', { class: 'note' }, 'As it was stored, step by step; nothing of it can be changed. It is text from outside, or made of it.'),
    ...data.map((/** @type {any} */ run) => runView(id, run)),
  ]
}

/**
 * @param {string} id
 * @param {any} run
 */
function runView(id, { number, purpose, use, withheld, steps }) {
  return h(
    'details',
    { key: `${purpose} ${number}`, class: 'run', open: true },
    h(
      'summary',
      null,
      `${purpose === 'question' ? 'Question' : 'Look'} ${number}: ${use?.outcome ?? 'under way'}, ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`,
    ),
    withheld
      ? h('p', { class: 'note' }, 'What was said is left out: the model was told kinds of data that your workspace does not read.')
      : null,
    h(
      'ol',
      { class: 'timeline' },
      steps.map((/** @type {any} */ step) => stepView(id, `${purpose} ${number}`, step)),
    ),
  )
}

/**
 * @param {string} id
 * @param {string} run
 * @param {any} step
 */
function stepView(id, run, { seq, at, words, texts, evidence }) {
  const name = `${run}, step ${seq}`
  return h(
    'li',
    { key: String(seq) },
    h('time', { datetime: at }, clock(new Date(at))),
    h(
      'div',
      null,
      h('p', null, words),
      evidence.length > 0
        ? h(
            'p',
            { class: 'note' },
            'Kept as ',
            evidence.map((/** @type {string} */ label, /** @type {number} */ i) => [
              i > 0 ? ', ' : null,
              h('a', { href: incidentHash(id, label) }, label),
            ]),
          )
        : null,
      texts.map((/** @type {any} */ { name: what, text }) =>
        h(
          'details',
          null,
          h('summary', null, what),
          h('pre', { class: 'content said', role: 'region', 'aria-label': `${what}, ${name}`, tabindex: '0' }, text),
        ),
      ),
    ),
  )
}
