/**
 * What is to be shown, as plain data: pages are pure functions from state to trees, `patch.js` makes them so in the document. Text is always
 * text; nothing here can hold markup, or characters that nobody sees.
 *
 * @typedef {{ tag: string, attrs: Record<string, string>, key: string | null, children: Tree[] } | string} Tree
 * @typedef {Tree | number | null | undefined | false | readonly Child[]} Child
 */

/** What nobody sees, or what changes how the text around it is drawn: as on the cards, it is taken out of whatever is shown. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Co}\p{Cn}]/gu

/**
 * An element. Attributes that are null, undefined or false are left out; `key` tells list items apart.
 *
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined> | null} attrs
 * @param {...Child} children
 * @returns {Tree}
 */
export function h(tag, attrs, ...children) {
  const given = Object.entries(attrs ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== false)
  const { key = null, ...rest } = Object.fromEntries(given.map(([name, value]) => [name, value === true ? '' : String(value)]))
  return { tag, attrs: rest, key, children: flatten(children) }
}

/**
 * @param {readonly Child[]} children
 * @returns {Tree[]}
 */
export function flatten(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false || child === '') return []
    if (typeof child === 'number') return [String(child)]
    if (typeof child === 'string') return [child.replace(UNSEEN, '')]
    return 'tag' in child ? [child] : flatten(child)
  })
}

/**
 * The text of trees, for reading aloud and for tests.
 *
 * @param {readonly Tree[]} trees
 * @returns {string}
 */
export function textOf(trees) {
  return trees.map((tree) => (typeof tree === 'string' ? tree : textOf(tree.children))).join('')
}
