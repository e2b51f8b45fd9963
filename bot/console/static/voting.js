/** @import { Reader } from './reader.js' */
/** @import { Panel, State } from './state.js' */
import { clickKey, post } from './api.js'
import { digestOnCard } from './blocks.js'
import { approvalMark } from './panels.js'
import { closedPanel } from './state.js'

const STALE = { code: 'stale-digest', title: 'The plan on your screen is not the plan that is waiting. Read it again.', detail: null }

/**
 * The clicks on a request. The digest that is sent is the one of the plan on the screen; the server decides everything else.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {Reader} reader
 */
export function createVoting(state, update, reader) {
  /**
   * @param {string} id
   * @param {Partial<Panel>} change
   */
  function panel(id, change) {
    const before = state.panels[id] ?? closedPanel()
    update({ panels: { ...state.panels, [id]: { ...before, ...change } } })
  }

  /** @param {string} id */
  function approve(id) {
    const approval = state.incident.approvals.get(id)
    if (!approval?.confirm) {
      void vote(id, 'approve', {})
      return
    }
    panel(id, { ...closedPanel(), open: 'confirm' })
    focusSoon(`confirm-${id}`)
  }

  /** @param {string} id */
  function deny(id) {
    panel(id, { ...closedPanel(), open: 'deny' })
    focusSoon(`reason-${id}`)
  }

  /**
   * @param {string} id
   * @param {'approve' | 'deny'} decision
   * @param {{ confirm?: string, reason?: string | null }} said
   */
  async function vote(id, decision, { confirm, reason = null }) {
    const digest = shownDigest(state, id)
    if (digest === null) {
      panel(id, { refused: STALE })
      return reader.incident()
    }
    const words = decision === 'approve' ? 'Your approval is recorded.' : 'Your denial is recorded; nothing will run.'
    await send(id, `votes`, { decision, digest, confirm: confirm ?? null, reason }, words)
  }

  /**
   * Sends a click. When no answer came it is unknown whether it arrived: the next try bears the same name, so that it counts once.
   *
   * @param {string} id
   * @param {'votes' | 'keep' | 'check-again'} call
   * @param {unknown} body
   * @param {string} words
   */
  async function send(id, call, body, words) {
    const before = state.panels[id]
    if (before?.busy) return
    const key = before?.key ?? clickKey()
    panel(id, { busy: true, refused: null, done: null, key, about: null })
    const answer = await post(`/api/v1/approvals/${encodeURIComponent(id)}/${call}`, body, key)
    if (answer.ok) panel(id, { ...closedPanel(), done: words })
    else if (answer.code === 'already-voted') panel(id, { ...closedPanel(), done: answer.detail ?? answer.title })
    else panel(id, { busy: false, refused: answer, key: answer.status === 0 ? key : null })
    await reader.incident()
    // Said of the request as it stands now; nothing is said of it once it has moved on.
    const approval = state.incident.approvals.get(id)
    if (approval) panel(id, { about: approvalMark(approval) })
    if (!answer.ok && answer.status === 401) await reader.who()
    keepFocusAt(id)
  }

  /** @type {Record<string, (ref: string) => unknown>} */
  const buttons = {
    approve,
    deny,
    keep: (id) => send(id, 'keep', {}, 'It is kept as it is; the undo will not run.'),
    'check-again': (id) => send(id, 'check-again', {}, 'The target was looked at again; a fresh card follows if there is something to do.'),
    'close-panel': (id) => {
      panel(id, closedPanel())
      keepFocusAt(id)
    },
  }

  return {
    buttons,
    vote,
    /** Somebody else is signed in now: what was refused before says nothing any more. */
    forgetRefusals() {
      update({ panels: {} })
    },
  }
}

/**
 * The digest of the plan that the card on the screen shows; null when the card and what is known of the request do not belong together.
 *
 * @param {State} state
 * @param {string} id
 * @returns {string | null}
 */
export function shownDigest({ incident }, id) {
  const card = incident.data?.cards.find((/** @type {any} */ { kind, ref }) => kind === 'approval' && ref === id)
  const digest = incident.approvals.get(id)?.digest
  const shown = card ? digestOnCard(card.blocks) : null
  return typeof digest === 'string' && shown !== null && digest.startsWith(shown) ? digest : null
}

/** When the button that was pressed is gone, whoever works by keyboard stays at the card. @param {string} id */
function keepFocusAt(id) {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById(`card-${id}`)?.focus({ preventScroll: true })
  })
}

/** @param {string} id */
function focusSoon(id) {
  requestAnimationFrame(() => document.getElementById(id)?.focus())
}
