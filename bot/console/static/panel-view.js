/** @import { Panel, State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { signInButton } from './sign-in-button.js'
import { h } from './tree.js'
import { personWords, refusalWords } from './words.js'

/**
 * What stands right below the buttons of a request: the reason of a denial, the text to type, and what came of the last click.
 *
 * @param {string} id
 * @param {Panel | undefined} panel
 * @param {any} approval
 * @param {State} state
 * @returns {Tree[]}
 */
export function panelView(id, panel, approval, state) {
  if (!panel) return []
  const parts = [
    panel.open === 'deny' ? denyForm(id, panel) : null,
    panel.open === 'confirm' && approval?.confirm ? confirmForm(id, panel, approval.confirm) : null,
    panel.busy ? h('p', { key: 'busy', class: 'note', role: 'status' }, 'Sending…') : null,
    panel.done && approval?.state !== 'done' ? h('p', { key: 'done', class: 'done', role: 'status' }, panel.done) : null,
    panel.refused ? refusedPart(panel, state) : null,
  ].filter((part) => part !== null)
  return parts.length === 0 ? [] : [h('div', { key: `panel ${id}`, class: 'panel' }, parts)]
}

/**
 * @param {string} id
 * @param {Panel} panel
 */
function denyForm(id, { busy }) {
  return h(
    'form',
    { key: 'deny', class: 'panel-form', 'data-do': 'deny-submit', 'data-ref': id },
    h('label', { for: `reason-${id}` }, 'Why not? One denial is enough to stop it.'),
    h('input', {
      id: `reason-${id}`,
      name: 'reason',
      type: 'text',
      maxlength: 500,
      autocomplete: 'off',
      placeholder: 'A reason helps whoever takes over',
      enterkeyhint: 'send',
    }),
    h('button', { type: 'submit', class: 'button primary', disabled: busy }, 'Deny'),
    h('button', { type: 'button', class: 'button', 'data-do': 'close-panel', 'data-ref': id }, 'Back'),
  )
}

/**
 * @param {string} id
 * @param {Panel} panel
 * @param {string} text
 */
function confirmForm(id, { busy }, text) {
  return h(
    'form',
    { key: 'confirm', class: 'panel-form', 'data-do': 'confirm-submit', 'data-ref': id },
    h('label', { for: `confirm-${id}` }, 'Type ', h('code', null, text), ' to approve it.'),
    h('input', {
      id: `confirm-${id}`,
      name: 'confirm',
      type: 'text',
      maxlength: 200,
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
      enterkeyhint: 'send',
    }),
    h('button', { type: 'submit', class: 'button primary', disabled: busy }, 'Approve'),
    h('button', { type: 'button', class: 'button', 'data-do': 'close-panel', 'data-ref': id }, 'Back'),
  )
}

/**
 * @param {Panel} panel
 * @param {State} state
 */
function refusedPart({ refused }, { people, signIn }) {
  if (!refused) return null
  const nobody = ['no-person', 'no-token', 'session-ended'].includes(refused.code)
  return h(
    'div',
    { key: 'refused', class: 'refused', role: 'alert' },
    h('p', null, refusalWords(refused)),
    nobody && signIn?.way === 'provider' ? h('div', { class: 'actions' }, signInButton()) : null,
    nobody && signIn?.way === 'name' && people
      ? h(
          'div',
          { class: 'actions' },
          people.map((person) =>
            h(
              'button',
              { key: person.id, type: 'button', class: 'button', 'data-do': 'sign-in', 'data-ref': person.id },
              `Be ${personWords(person)}`,
            ),
          ),
        )
      : null,
  )
}
