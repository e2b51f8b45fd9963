/** The console: reads the state of the world through the HTTP interface, draws it, and sends clicks. */
import { createActions } from './actions.js'
import { auditView } from './audit-view.js'
import { homeView } from './home-view.js'
import { incidentView } from './incident-view.js'
import { listenForChanges } from './live.js'
import { patch } from './patch.js'
import { createReader } from './reader.js'
import { recordsView } from './records-view.js'
import { parseRoute } from './route.js'
import { servicesView } from './services-view.js'
import { shellView } from './shell-view.js'
import { firstState } from './state.js'
import { titleOf } from './words.js'

const TICK_MS = 1_000
/** Whether anything may run is never left to events alone. */
const MODE_EVERY_MS = 5_000
/** Whoever looks at a card learns that the session is over before they click. */
const SESSION_EVERY_MS = 60_000

/** As frame.css has it. */
const twoColumns = matchMedia('(min-width: 60rem)')
const root = /** @type {Element} */ (document.getElementById('app'))
const announcer = /** @type {Element} */ (document.getElementById('announce'))
const state = firstState()
let scheduled = false

function draw() {
  scheduled = false
  const context = { origin: location.origin, now: new Date(), wide: twoColumns.matches }
  const pages = { home: homeView, incident: incidentView, services: servicesView, records: recordsView, audit: auditView }
  patch(root, shellView(state, context, pages[state.route.page](state, context)))
  const title = titleOf(state)
  if (document.title !== title) document.title = title
  if (announcer.textContent !== state.announcement) announcer.textContent = state.announcement
}

/**
 * Changes the state and draws it once, however many changes come together.
 *
 * @param {Partial<import('./state.js').State>} change
 */
function update(change) {
  Object.assign(state, change)
  if (scheduled) return
  scheduled = true
  queueMicrotask(draw)
}

const reader = createReader(state, update)
const actions = createActions(state, update, reader)

/** Shows what the address names, and brings the part of the page it points at into view. */
async function follow(first = false) {
  const route = parseRoute(location.hash)
  const samePage = !first && route.page === state.route.page && route.id === state.route.id
  update({ route })
  if (!samePage) {
    scrollTo(0, 0)
    await reader.page()
  }
  if (route.focus === '') return
  requestAnimationFrame(() => bringIntoView(route.focus))
  // What is read now makes the page longer above or below what was brought into view.
  const [isRead] = await Promise.all([reader.evidence(), reader.trace()])
  if (isRead || route.focus === 'trace') requestAnimationFrame(() => bringIntoView(route.focus))
}

/** @param {string} focus */
function bringIntoView(focus) {
  const target = ['evidence', 'card', 'section'].map((kind) => document.getElementById(`${kind}-${focus}`)).find((each) => each !== null)
  // Opened here as well: the reader may have closed it since the address named it first.
  for (let around = target?.closest('details'); around; around = around.parentElement?.closest('details')) around.open = true
  target?.scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' })
  const focusable = target?.querySelector('summary') ?? target
  if (focusable instanceof HTMLElement) focusable.focus({ preventScroll: true })
}

document.addEventListener('click', (event) => {
  const pressed = event.target instanceof Element ? event.target : null
  const button = pressed?.closest('button[data-do]')
  // The browser says nothing when the address stays the same.
  if (pressed?.closest('a')?.getAttribute('href') === location.hash) void follow()
  if (button instanceof HTMLButtonElement) actions.press(button.dataset['do'] ?? '', button.dataset['ref'] ?? '')
})

document.addEventListener('submit', (event) => {
  event.preventDefault()
  if (event.target instanceof HTMLFormElement) actions.submit(event.target)
})

addEventListener('hashchange', () => void follow())
setInterval(() => {
  if (document.querySelector('time.deadline, .row-more')) draw()
}, TICK_MS)

setInterval(() => {
  void reader.mode()
  // Nothing tells when a drill of somebody else begins or ends.
  if (state.route.page === 'home') void reader.drills()
}, MODE_EVERY_MS)
setInterval(() => {
  if (state.me) void reader.who()
}, SESSION_EVERY_MS)

await reader.start()
await follow(true)
listenForChanges({
  onState(connection) {
    update({ connection })
    // A process that went away is known at once, not at the next look.
    if (connection === 'lost') void reader.mode()
  },
  onEverything: () => void reader.everything(),
  onChange: (change) => void reader.changed(change),
})
