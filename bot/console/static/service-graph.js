/**
 * Where each service stands in the picture: callers above what they call. Pure, so that the same graph is always the same picture.
 *
 * @typedef {{ name: string, layer: number, x: number, y: number }} Place
 * @typedef {{ from: string, to: string, line: string }} Line
 */

/** In units of the picture, which are pixels at full width. */
export const BOX = { width: 132, height: 44 }
const GAP = { x: 20, y: 40 }
const MARGIN = 8

/**
 * @param {readonly string[]} names
 * @param {readonly { from: string, to: string }[]} edges
 * @returns {{ places: Place[], lines: Line[], width: number, height: number }}
 */
export function layOut(names, edges) {
  const known = edges.filter(({ from, to }) => from !== to && names.includes(from) && names.includes(to))
  const layers = layersOf(names, known)
  const rows = order(names, known, layers)
  const widest = Math.max(1, ...rows.map((row) => row.length))
  const width = 2 * MARGIN + widest * BOX.width + (widest - 1) * GAP.x
  const places = rows.flatMap((row, layer) => {
    const taken = row.length * BOX.width + (row.length - 1) * GAP.x
    return row.map((name, index) => ({
      name,
      layer,
      x: (width - taken) / 2 + index * (BOX.width + GAP.x),
      y: MARGIN + layer * (BOX.height + GAP.y),
    }))
  })
  const at = new Map(places.map((place) => [place.name, place]))
  const lines = known.flatMap(({ from, to }) => {
    const [start, end] = [at.get(from), at.get(to)]
    return start && end ? [{ from, to, line: lineBetween(start, end) }] : []
  })
  const height = 2 * MARGIN + rows.length * BOX.height + Math.max(0, rows.length - 1) * GAP.y
  return { places, lines, width, height }
}

/**
 * One more than the deepest caller; a circle is broken where it is entered.
 *
 * @param {readonly string[]} names
 * @param {readonly { from: string, to: string }[]} edges
 */
function layersOf(names, edges) {
  /** @type {Map<string, number>} */
  const layers = new Map()
  /** @type {Set<string>} */
  const open = new Set()
  /** @param {string} name @returns {number} */
  const layerOf = (name) => {
    const done = layers.get(name)
    if (done !== undefined) return done
    open.add(name)
    const callers = edges.filter(({ from, to }) => to === name && !open.has(from)).map(({ from }) => layerOf(from))
    open.delete(name)
    const layer = Math.max(-1, ...callers) + 1
    layers.set(name, layer)
    return layer
  }
  for (const name of names) layerOf(name)
  return layers
}

/**
 * Rows from top to bottom; in a row each service stands as near to its callers as the ones before it allow.
 *
 * @param {readonly string[]} names
 * @param {readonly { from: string, to: string }[]} edges
 * @param {ReadonlyMap<string, number>} layers
 */
function order(names, edges, layers) {
  /** @type {string[][]} */
  const rows = []
  /** @type {Map<string, number>} */
  const middle = new Map()
  const depth = Math.max(-1, ...layers.values())
  for (let layer = 0; layer <= depth; layer += 1) {
    const wish = new Map(
      names
        .filter((name) => layers.get(name) === layer)
        .map((name) => {
          const callers = edges.filter(({ to }) => to === name).flatMap(({ from }) => middle.get(from) ?? [])
          return [name, callers.length === 0 ? 0 : callers.reduce((sum, at) => sum + at, 0) / callers.length]
        }),
    )
    const row = [...wish.keys()].toSorted((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || (a < b ? -1 : 1))
    row.forEach((name, index) => {
      middle.set(name, (index + 0.5) / row.length)
    })
    rows.push(row)
  }
  return rows
}

/**
 * From the bottom of the caller to the top of the called, as a path of SVG; a call back up leaves and arrives at the side.
 *
 * @param {Place} from
 * @param {Place} to
 */
function lineBetween(from, to) {
  if (to.y <= from.y) {
    const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x + BOX.width, to.y + BOX.height / 2]
    return `M${x1} ${y1} C${x1 + GAP.x} ${y1} ${x2 + GAP.x} ${y2} ${x2} ${y2}`
  }
  const [x1, y1, x2, y2] = [from.x + BOX.width / 2, from.y + BOX.height, to.x + BOX.width / 2, to.y]
  const half = (y1 + y2) / 2
  return `M${x1} ${y1} C${x1} ${half} ${x2} ${half} ${x2} ${y2}`
}
