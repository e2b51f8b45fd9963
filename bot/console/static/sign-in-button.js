import { h } from './tree.js'

/** Leads to the identity provider and back to this page. */
export function signInButton() {
  return h('button', { key: 'sign-in-there', type: 'button', class: 'button small primary', 'data-do': 'sign-in-there' }, 'Sign in')
}
