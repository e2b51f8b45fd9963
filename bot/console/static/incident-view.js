/** @import { Place } from './incident-aside.js' */
/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { askView } from './ask-view.js'
import { viewOfBlocks } from './blocks.js'
import { alertsSection, evidenceSection, sureSection, timelineSection } from './incident-aside.js'
import { loading, refusedView } from './loaded-view.js'
import { stopOf } from './mode.js'
import { panelView } from './panel-view.js'
import { incidentHash } from './route.js'
import { clock } from './time.js'
import { traceSection } from './trace-view.js'
import { h } from './tree.js'
import { approvalTone, stateTone } from './words.js'

/**
 * One incident: its cards as they are in chat, its thread, and what it is known from.
 *
 * @param {State} state
 * @param {Place} context
 * @returns {Tree[]}
 */
export function incidentView(state, context) {
  const { data, refused } = state.incident
  if (refused) return [h('div', { class: 'column wide' }, back(), refusedView(refused, 'incident'))]
  if (!data) return [h('div', { class: 'column wide' }, back(), loading('Reading the incident…'))]
  return [
    h(
      'div',
      { class: 'column wide' },
      heading(state),
      data.cards.map((/** @type {any} */ card) => cardView(card, state, context)),
      threadView(data.thread, context),
      askView(state, context, data.id),
    ),
    h(
      'aside',
      { class: 'column', 'aria-label': 'What it is known from' },
      sureSection(data),
      alertsSection(data, context),
      evidenceSection(data, state.route.focus, context, state.evidence),
      timelineSection(data),
      traceSection(data, state.trace),
    ),
  ]
}

function back() {
  return h('a', { class: 'back', href: '#/' }, '← All incidents')
}

/** @param {State} state */
function heading({ incident: { data, approvals } }) {
  const waiting = data.cards.find((/** @type {any} */ { kind, ref }) => kind === 'approval' && approvals.get(ref)?.state === 'pending')
  return h(
    'div',
    { key: 'heading', class: 'heading' },
    back(),
    h('h1', { class: 'unseen' }, `Incident ${data.id}`),
    h(
      'p',
      null,
      h('span', { class: `pill ${stateTone(data.state)}` }, data.stateWords),
      h('span', { class: 'note' }, ` ${data.id} · ${data.service}${data.run ? ' · drill' : ''}`),
    ),
    waiting ? h('a', { class: 'button jump', href: incidentHash(data.id, waiting.ref) }, 'An action waits for a click ↓') : null,
  )
}

/**
 * @param {any} card
 * @param {State} state
 * @param {{ origin: string, now: Date }} context
 */
function cardView({ kind, ref, blocks }, state, context) {
  const approval = state.incident.approvals.get(ref)
  const tone = kind === 'approval' ? approvalTone(approval) : stateTone(state.incident.data.state)
  const panel = state.panels[ref]
  const stopped = approval?.state === 'pending' && stopOf(state.mode) !== null
  const afterActions = (/** @type {string} */ id) => [
    ...(stopped ? [h('p', { key: 'stopped', class: 'refused' }, 'Stopped: Approve is refused until it is started again.')] : []),
    ...panelView(id, panel, state.incident.approvals.get(id), state),
  ]
  const view = viewOfBlocks(blocks, { ...context, busy: panel?.busy === true, hideActions: Boolean(panel?.open), afterActions })
  // The answer to a click stays in sight when the buttons it belongs to are gone.
  const hasButtons = blocks.some((/** @type {any} */ { type }) => type === 'actions')
  const left = kind === 'approval' && !hasButtons ? panelView(ref, panel, approval, state) : []
  return h(
    'article',
    {
      key: `${kind} ${ref}`,
      id: `card-${ref}`,
      class: `card ${tone}`,
      tabindex: '-1',
      'aria-label': kind === 'approval' ? 'Approval' : 'Incident',
    },
    view,
    left,
  )
}

/**
 * @param {readonly any[]} thread
 * @param {{ origin: string, now: Date }} context
 */
function threadView(thread, context) {
  if (thread.length === 0) return null
  const messages = thread.map(({ kind, ref, at, blocks }) =>
    h(
      'li',
      { key: `${kind} ${ref} ${at}` },
      h('p', { class: 'note' }, h('time', { datetime: at }, clock(new Date(at))), ' Steadyhand'),
      h('div', { class: 'answer' }, viewOfBlocks(blocks, context)),
    ),
  )
  return h(
    'section',
    { key: 'thread', 'aria-labelledby': 'thread' },
    h('h2', { class: 'section', id: 'thread' }, 'Thread'),
    h('ol', { class: 'thread' }, messages),
  )
}
