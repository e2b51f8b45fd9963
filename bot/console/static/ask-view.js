/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { viewOfBlocks } from './blocks.js'
import { clock } from './time.js'
import { h } from './tree.js'
import { refusalWords } from './words.js'

/**
 * The box for questions and commands, with what was answered on this page.
 *
 * @param {State} state
 * @param {{ origin: string, now: Date }} context
 * @param {string} place the incident it belongs to, or '' for none
 * @returns {Tree}
 */
export function askView(state, context, place) {
  const exchanges = state.exchanges[place] ?? []
  return h(
    'section',
    { key: 'ask', class: 'ask-box', 'aria-labelledby': 'ask-title' },
    h('h2', { class: 'section', id: 'ask-title' }, 'Ask or command'),
    h(
      'ol',
      { class: 'thread', 'aria-live': 'polite' },
      exchanges.map((exchange) => exchangeView(exchange, context)),
    ),
    h(
      'form',
      { class: 'ask-form', 'data-do': 'ask-submit', 'data-ref': place },
      h('label', { class: 'unseen', for: 'ask-text' }, 'Question or command'),
      h('input', {
        id: 'ask-text',
        name: 'text',
        type: 'text',
        placeholder: place === '' ? 'status, logs payments, help …' : `why ${place}, what changed? …`,
        maxlength: 2000,
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: 'false',
        enterkeyhint: 'send',
      }),
      h('button', { type: 'submit', class: 'button primary', disabled: state.asking }, 'Send'),
    ),
    h(
      'p',
      { class: 'note' },
      'Commands, and questions that name what they are about: approvals, causes, changes, logs, a metric of a service. Nothing is guessed. For example:',
    ),
    h(
      'div',
      { class: 'actions' },
      examplesOf(state, place).map((text) =>
        h(
          'button',
          { key: text, type: 'button', class: 'button small example', disabled: state.asking, 'data-do': 'ask-example', 'data-ref': text },
          text,
        ),
      ),
    ),
  )
}

/** What can stand in a command as it is. */
const PLAIN_NAME = /^[\w.-]{1,40}$/

/**
 * Words that are answered as they stand.
 *
 * @param {State} state
 * @param {string} place
 */
function examplesOf({ incident }, place) {
  if (place === '') return ['status', 'incidents', 'what waits for approval?', 'handover', 'help']
  const service = incident.data?.service ?? ''
  // Once it is over, what is left to say is whether the diagnosis was right.
  if (incident.data?.endedAt && incident.data.hypotheses.length > 0)
    return [`feedback ${place} right`, `feedback ${place} wrong`, `why ${place}`, `postmortem ${place}`]
  return [
    `why ${place}`,
    `what changed in ${place}?`,
    ...(PLAIN_NAME.test(service) ? [`errors of ${service} over 15m`, `logs ${service}`] : []),
    `brief ${place}`,
  ]
}

/**
 * @param {import('./state.js').Exchange} exchange
 * @param {{ origin: string, now: Date }} context
 */
function exchangeView({ key, at, asked, blocks, refused }, context) {
  return h(
    'li',
    { key },
    h('p', { class: 'said' }, h('span', { class: 'note' }, `${clock(at)} you: `), asked),
    refused
      ? h('p', { class: 'refused' }, refusalWords(refused))
      : blocks
        ? h('div', { class: 'answer' }, viewOfBlocks(blocks, context))
        : h('p', { class: 'note' }, '…'),
  )
}
