import { writeSync } from 'node:fs'

/**
 * Tells the person something without touching standard output, which belongs to the program that is about to run.
 * @param {string} words
 */
export function say(words) {
  writeSync(2, `${words}\n`)
}
