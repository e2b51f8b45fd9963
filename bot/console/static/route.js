/**
 * The page that an address names: '#/', '#/incidents/ID', '#/incidents/ID/E3' (an evidence item or request on it), '#/audit'.
 *
 * @typedef {{ page: 'home' | 'incident' | 'audit', id: string, focus: string }} Route
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [page, id = '', focus = ''] = hash.replace(/^#\/?/, '').split('/').map(decode)
  if (page === 'incidents' && id !== '') return { page: 'incident', id, focus }
  return { page: page === 'audit' ? 'audit' : 'home', id: '', focus: '' }
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
