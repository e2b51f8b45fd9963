/** Calls of the HTTP interface. What is refused comes back as words, never as an exception. */

/**
 * @typedef {{ ok: true, status: number, body: any } | { ok: false, status: number, code: string, title: string, detail: string | null }} Answer
 */

const NO_ANSWER = 'Steadyhand does not answer. Check that it is running; this page tries again.'

/**
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export function get(path) {
  return call(path, { headers: { accept: 'application/json' } })
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {string} [key] names the click, so that sending it again is the same click
 * @returns {Promise<Answer>}
 */
export function post(path, body, key) {
  const headers = { accept: 'application/json', 'content-type': 'application/json', ...(key ? { 'idempotency-key': key } : {}) }
  return call(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

/**
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export function remove(path) {
  return call(path, { method: 'DELETE' })
}

/** A name for one click. */
export function clickKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Answer>}
 */
async function call(path, options) {
  try {
    const response = await fetch(path, { ...options, credentials: 'same-origin', cache: 'no-store' })
    const text = await response.text()
    const body = text === '' ? null : JSON.parse(text)
    return response.ok ? { ok: true, status: response.status, body } : refusal(response.status, body)
  } catch {
    return { ok: false, status: 0, code: 'no-answer', title: NO_ANSWER, detail: null }
  }
}

/**
 * @param {number} status
 * @param {any} problem
 * @returns {Answer}
 */
function refusal(status, problem) {
  const title = typeof problem?.title === 'string' ? problem.title : `It was refused (${status}).`
  const detail = typeof problem?.detail === 'string' && problem.detail !== title ? problem.detail : null
  return { ok: false, status, code: typeof problem?.code === 'string' ? problem.code : 'unknown', title, detail }
}
