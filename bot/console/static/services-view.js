/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { loading, refusedView } from './loaded-view.js'
import { incidentHash } from './route.js'
import { BOX, layOut } from './service-graph.js'
import { h } from './tree.js'

/** More than this is no picture any more; the list holds them all. */
const MOST_DRAWN = 40
const NAME_SHOWN = 16

/**
 * The services that are known, who calls whom, and where something is wrong.
 *
 * @param {State} state
 * @returns {Tree[]}
 */
export function servicesView({ services, incidents }) {
  return [
    h(
      'div',
      { class: 'column wide' },
      h('h1', { class: 'page-title' }, 'Services'),
      h('p', { class: 'note' }, 'What Steadyhand knows of, with the calls it saw between them. A service stands above what it calls.'),
      content(services, incidents.data ?? []),
    ),
  ]
}

/**
 * @param {State['services']} services
 * @param {any[]} incidents
 * @returns {Tree[]}
 */
function content({ data, refused }, incidents) {
  if (refused) return [refusedView(refused, 'services')]
  if (!data) return [loading('Reading the services…')]
  if (data.items.length === 0)
    return [h('p', { class: 'empty' }, 'No service is known yet: connect a target, and what runs there shows up here.')]
  const inFull = new Map((data.incidents ?? []).map((/** @type {any} */ incident) => [incident.id, incident]))
  const known = data.items.map((/** @type {any} */ service) => ({
    ...service,
    open: incidents.filter((incident) => touches({ ...incident, ...inFull.get(incident.id) }, service.name)),
  }))
  return [
    known.length > MOST_DRAWN
      ? h('p', { class: 'note' }, `${known.length} services are too many for one picture; all of them are in the list.`)
      : picture(known, data.edges),
    h(
      'ul',
      { class: 'rows' },
      known.map((/** @type {any} */ service) => h('li', { key: service.name }, row(service, data.edges))),
    ),
  ]
}

/**
 * Whether an incident is about a service: named after it, alerted of it, or suspected to begin there.
 *
 * @param {any} incident
 * @param {string} name
 */
function touches({ service, alerts = [], hypotheses = [] }, name) {
  const suspected = hypotheses.find((/** @type {any} */ { rank }) => rank === 1)?.component
  const isFiring = (/** @type {any} */ alert) => alert.service === name && alert.status === 'firing'
  return service === name || suspected === `service/${name}` || alerts.some(isFiring)
}

/**
 * The same as the list says in words, so it is hidden from whoever is read to.
 *
 * @param {any[]} services
 * @param {{ from: string, to: string }[]} edges
 * @returns {Tree}
 */
function picture(services, edges) {
  const { places, lines, width, height } = layOut(
    services.map(({ name }) => name),
    edges,
  )
  const tones = new Map(services.map((service) => [service.name, tone(service)]))
  return h(
    'div',
    { key: 'graph', class: 'graph', 'aria-hidden': 'true' },
    h(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, width, height },
      lines.map(({ from, to, line }) => h('path', { key: `${from} ${to}`, class: 'call', d: line })),
      places.map(({ name, x, y }) =>
        h(
          'g',
          { key: name, class: `node ${tones.get(name)}` },
          h('rect', { x, y, width: BOX.width, height: BOX.height, rx: 8 }),
          h('text', { x: x + BOX.width / 2, y: y + BOX.height / 2 + 5, 'text-anchor': 'middle' }, shortName(name)),
        ),
      ),
    ),
  )
}

/** @param {string} name */
function shortName(name) {
  return name.length > NAME_SHOWN ? `${name.slice(0, NAME_SHOWN - 1)}…` : name
}

/** @param {any} service */
function tone({ open, readyReplicas, desiredReplicas }) {
  if (open.some((/** @type {any} */ { severity }) => severity <= 2) || readyReplicas < desiredReplicas) return 'bad'
  return open.length > 0 ? 'ask' : 'good'
}

/**
 * @param {any} service
 * @param {{ from: string, to: string }[]} edges
 */
function row(service, edges) {
  const { name, environment, version, readyReplicas, desiredReplicas, open } = service
  const calls = edges.filter(({ from }) => from === name).map(({ to }) => to)
  const callers = edges.filter(({ to }) => to === name).map(({ from }) => from)
  return h(
    'div',
    { class: `row ${tone(service)}` },
    h('span', { class: 'row-title' }, name),
    h(
      'span',
      { class: 'row-more' },
      `${version} in ${environment} · ${readyReplicas} of ${desiredReplicas} ready`,
      calls.length > 0 ? ` · calls ${calls.join(', ')}` : '',
      callers.length > 0 ? ` · called by ${callers.join(', ')}` : '',
    ),
    open.length > 0
      ? h(
          'span',
          { class: 'row-more' },
          open.map((/** @type {any} */ { id, title }) => h('a', { key: id, class: 'row-link', href: incidentHash(id) }, `${id}: ${title}`)),
        )
      : null,
  )
}
