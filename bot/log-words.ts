import { cleanText } from './messages/visible-text.ts'

const LEVELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }
const LEVEL_WIDTH = 5
const FIELDS_SHOWN = 6
const FIELD_LENGTH = 160
const MESSAGE_LENGTH = 500
const OWN = ['level', 'time', 'msg']

/** A line of the log for somebody who reads along: '23:16:19 warn  what happened (incident inc-1, error: what it said)'. Anything else as it is. */
export function logWords(line: string): string {
  const entry = entryOf(line)
  if (entry === null) return cleanText(line, MESSAGE_LENGTH)
  const { level, time, msg, ...rest } = entry
  const moment = new Date(typeof time === 'number' ? time : Number.NaN)
  const at = Number.isNaN(moment.getTime()) ? '--:--:--' : moment.toISOString().slice(11, 19)
  const fields = Object.entries(rest).filter(([name]) => !OWN.includes(name))
  const told = fields.slice(0, FIELDS_SHOWN).map(([name, value]) => fieldWords(name, value))
  const more = fields.length - told.length
  const about = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
  const words = cleanText(String(msg ?? ''), MESSAGE_LENGTH)
  return `${at} ${(LEVELS[Number(level)] ?? 'log').padEnd(LEVEL_WIDTH)} ${words}${about === '' ? '' : ` (${about})`}`
}

function entryOf(line: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : null
  } catch {
    // A library that writes here in its own words.
    return null
  }
}

/** Of an error what it said and what caused it: the stack is for machines, and for whoever asks for JSON. */
function fieldWords(name: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${cleanText(name, 40)}: ${cleanText(String(value), FIELD_LENGTH)}`
  const message = 'message' in value && typeof value.message === 'string' ? value.message : null
  if (message === null) return `${cleanText(name, 40)}: ${cleanText(JSON.stringify(value), FIELD_LENGTH)}`
  const cause = 'cause' in value && typeof value.cause === 'string' ? `, because of: ${value.cause}` : ''
  return `${name === 'err' ? 'error' : cleanText(name, 40)}: ${cleanText(`${message}${cause}`, FIELD_LENGTH)}`
}
