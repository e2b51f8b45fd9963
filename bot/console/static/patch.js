/** @import { Tree } from './tree.js' */

/** Attributes that a tree may set; nothing that runs or styles, and nothing that loads but our own pictures. */
const ATTRIBUTES =
  /^(aria-[a-z]+|data-[a-z-]+|class|id|role|href|rel|target|type|name|for|value|min|max|low|high|optimum|placeholder|maxlength|autocomplete|autocapitalize|spellcheck|enterkeyhint|disabled|open|datetime|title|tabindex|lang|src|alt|width|height|loading|viewBox|d|x|y|rx|text-anchor)$/
const SAFE_ADDRESS = /^(https?:\/\/|#|\/api\/v1\/incidents\/[\w%.-]+\/postmortem\.md$)/
const SVG = 'http://www.w3.org/2000/svg'
/** Shapes alone: nothing that links, loads or runs. */
const SVG_TAGS = ['svg', 'g', 'path', 'rect', 'text']
const OWN_PICTURE = /^\/api\/v1\/[\w./-]+\.png(\?[\w=&.%+:-]*)?$/

/** What each element was last made from: attributes that the reader changed since (an opened section) are left alone.
 * @type {WeakMap<Node, Record<string, string>>} */
const made = new WeakMap()
/** @type {WeakMap<Node, string>} */
const keys = new WeakMap()

/**
 * Makes the children of `parent` look like `trees`, touching only what differs: nothing flickers, and focus, scrolling and half-typed text stay.
 *
 * @param {Element} parent
 * @param {readonly Tree[]} trees
 */
export function patch(parent, trees) {
  const old = new Set(parent.childNodes)
  /** @type {ChildNode | null} */
  let cursor = parent.firstChild
  for (const tree of trees) {
    const node = match(old, cursor, tree) ?? create(parent.ownerDocument, tree)
    old.delete(node)
    if (node === cursor) cursor = cursor.nextSibling
    else parent.insertBefore(node, cursor)
    update(node, tree)
    while (cursor && !old.has(cursor)) cursor = cursor.nextSibling
  }
  for (const left of old) left.remove()
}

/**
 * The node that stood for this tree before: the one with its key, or the next one of its kind.
 *
 * @param {Set<ChildNode>} old
 * @param {ChildNode | null} cursor
 * @param {Tree} tree
 * @returns {ChildNode | null}
 */
function match(old, cursor, tree) {
  if (typeof tree !== 'string' && tree.key !== null) return [...old].find((node) => keys.get(node) === tree.key && isOf(node, tree)) ?? null
  const next = cursor && old.has(cursor) && keys.get(cursor) === undefined ? cursor : null
  return next && isOf(next, tree) ? next : null
}

/**
 * @param {Node} node
 * @param {Tree} tree
 */
function isOf(node, tree) {
  return typeof tree === 'string' ? node.nodeType === 3 : node.nodeName.toLowerCase() === tree.tag
}

/**
 * @param {Document} document
 * @param {Tree} tree
 * @returns {ChildNode}
 */
function create(document, tree) {
  if (typeof tree === 'string') return document.createTextNode(tree)
  const element = SVG_TAGS.includes(tree.tag) ? document.createElementNS(SVG, tree.tag) : document.createElement(tree.tag)
  if (tree.key !== null) keys.set(element, tree.key)
  return element
}

/**
 * @param {ChildNode} node
 * @param {Tree} tree
 */
function update(node, tree) {
  if (typeof tree === 'string') {
    if (node.textContent !== tree) node.textContent = tree
    return
  }
  const element = /** @type {Element} */ (node)
  const before = made.get(element) ?? {}
  for (const name of Object.keys(before)) if (!(name in tree.attrs)) element.removeAttribute(name)
  for (const [name, value] of Object.entries(tree.attrs)) if (before[name] !== value) setAttribute(element, name, value)
  made.set(element, tree.attrs)
  patch(element, tree.children)
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
function setAttribute(element, name, value) {
  if (!ATTRIBUTES.test(name)) throw new TypeError(`a tree may not set ${name}`)
  if (name === 'href' && !SAFE_ADDRESS.test(value)) return
  if (name === 'src' && !OWN_PICTURE.test(value)) return
  element.setAttribute(name, value)
}
