import fc from 'fast-check'

const SURROGATES = { first: 0xd800, count: 0x800 }
const LAST = 0x10ffff - SURROGATES.count

const codePoint = fc.integer({ min: 0, max: LAST }).map((at) => String.fromCodePoint(at < SURROGATES.first ? at : at + SURROGATES.count))

/**
 * Well-formed text of any code points, at most so many. As `fc.string({ unit: 'binary' })`, which spends seconds on a table of all of them in each
 * file that uses it.
 */
export function anyText(maxLength?: number): fc.Arbitrary<string> {
  return fc.array(codePoint, maxLength === undefined ? {} : { maxLength }).map((points) => points.join(''))
}
