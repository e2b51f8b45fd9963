/**
 * The part of Slack's mrkdwn that our own renderer writes. Text from outside was made harmless before; whatever is not one of these stays text.
 *
 * @typedef {{ type: 'text' | 'bold' | 'code', text: string } | { type: 'link', text: string, url: string }} Part
 */

const PARTS = /`([^`\n]+)`|\*([^*\n]+)\*|<(https?:[^|<>\s]+)\|([^<>]*)>/g

/**
 * @param {string} source
 * @returns {Part[]}
 */
export function parseMrkdwn(source) {
  /** @type {Part[]} */
  const parts = []
  let end = 0
  for (const found of source.matchAll(PARTS)) {
    if (found.index > end) parts.push({ type: 'text', text: unescapeEntities(source.slice(end, found.index)) })
    parts.push(partOf(found))
    end = found.index + found[0].length
  }
  if (end < source.length) parts.push({ type: 'text', text: unescapeEntities(source.slice(end)) })
  return parts
}

/**
 * @param {RegExpExecArray} found
 * @returns {Part}
 */
function partOf([, code, bold, url, text]) {
  if (code !== undefined) return { type: 'code', text: unescapeEntities(code) }
  if (bold !== undefined) return { type: 'bold', text: unescapeEntities(bold) }
  return { type: 'link', url: unescapeEntities(url ?? ''), text: unescapeEntities(text ?? '') }
}

/** @param {string} text */
function unescapeEntities(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
