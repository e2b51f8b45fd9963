/** @import { Tree } from './tree.js' */
import { h } from './tree.js'
import { refusalWords } from './words.js'

/**
 * @param {string} words
 * @returns {Tree}
 */
export function loading(words) {
  return h('p', { class: 'empty' }, words)
}

/**
 * What could not be read, and a way to try again.
 *
 * @param {import('./state.js').Refused} refused
 * @param {string} what
 * @returns {Tree}
 */
export function refusedView(refused, what) {
  return h(
    'p',
    { class: 'refused', role: 'alert' },
    `${refusalWords(refused)} `,
    h('button', { type: 'button', class: 'button small', 'data-do': 'reload', 'data-ref': what }, 'Try again'),
  )
}
