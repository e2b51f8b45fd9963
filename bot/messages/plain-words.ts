/** '1 request', '2 requests' */
export function countWords(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** 'cpu used' → 'Cpu used' */
export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
