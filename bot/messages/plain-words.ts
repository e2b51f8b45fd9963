/** '1 request', '2 requests' */
export function countWords(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** A finding of ours, read after it was over: 'v42 runs now' was true then. What is quoted in it stays as it was said. */
export function asOfThen(words: string): string {
  return words.replace(/“[^”]*”|\bnow\b/g, (found) => (found === 'now' ? 'then' : found))
}

/** 'cpu used' → 'Cpu used' */
export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
