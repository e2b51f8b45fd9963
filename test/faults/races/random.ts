/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export type Random = () => number

/** A generator for one part of a run: the same parts give the same numbers. */
export function seeded(...parts: readonly number[]): Random {
  let state = parts.reduce((hash, part) => Math.imul(hash ^ part, 0x9e3779b1) ^ (hash >>> 15), 0x85ebca6b)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
