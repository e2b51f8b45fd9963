/**
 * The page that an address names: '#/', '#/incidents/ID', '#/incidents/ID/E3' (an evidence item or request on it), '#/services', '#/records', '#/audit'.
 *
 * @typedef {{ page: 'home' | 'incident' | 'services' | 'records' | 'audit', id: string, focus: string }} Route
 */

/** Pages that are one and name nothing. */
const PAGES = /** @type {const} */ (['services', 'records', 'audit'])

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [page, id = '', focus = ''] = hash.replace(/^#\/?/, '').split('/').map(decode)
  if (page === 'incidents' && id !== '') return { page: 'incident', id, focus }
  return { page: PAGES.find((known) => known === page) ?? 'home', id: '', focus: '' }
}

/**
 * @param {string} id
 * @param {string} [focus]
 */
export function incidentHash(id, focus) {
  return `#/incidents/${encodeURIComponent(id)}${focus ? `/${encodeURIComponent(focus)}` : ''}`
}

/** @param {string} segment */
function decode(segment) {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
