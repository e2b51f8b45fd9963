import { cleanText } from './visible-text.ts'

/** What Markdown would make something of, wherever it stands. */
const MEANT = /[\\`*_{}[\]()<>#+!|~&@-]|:(?=[/\p{L}])/gu

/** Text from outside in a Markdown document: it is shown as it is, and forms no link, picture, heading, table or HTML. */
export function markdownText(text: string, max = 500): string {
  return cleanText(text, max).replace(MEANT, (sign) => `\\${sign}`)
}

/** One row of a table. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
