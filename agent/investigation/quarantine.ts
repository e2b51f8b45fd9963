import type { EvidenceItem } from '../domain/evidence.ts'
import { redact } from '../redact.ts'

/** Who could have written it, in words that a model cannot take for praise. */
const TRUST_WORDS: Readonly<Record<EvidenceItem['trust'], string>> = {
  metric: 'measured',
  platform: 'told by the platform',
  log: 'anybody can write it',
  chat: 'anybody can write it',
}

/** Marks that hide, reorder or end a line; a line break is kept. */
const UNSEEN = /[^\P{Cc}\n]+|[\p{Cf}\p{Zl}\p{Zp}\p{Co}]+/gu
/** Whatever could pass for the frame around data, or for a turn of the conversation. */
const FRAME = /<(?=\s*\/?\s*data)/gi

/**
 * The one way for text from outside into a prompt: without secrets and unseen characters, cut to `max` characters with its beginning and its end
 * kept, inside a frame that the text itself cannot close. The frame tells where it came from and who could have written it; nothing in the
 * design relies on a model respecting that.
 */
export function asData(about: { label: string; kind: string; trust: EvidenceItem['trust'] }, text: string, max: number): string {
  const safe = headAndTail(plain(text), max)
  return `<data label="${name(about.label)}" kind="${name(about.kind)}" source="${TRUST_WORDS[about.trust]}">\n${safe}\n</data>`
}

/** A name from outside where no frame fits: one short line without anything that could be read as more. */
export function asName(text: string): string {
  return plain(text)
    .replace(/[^\p{L}\p{N} ._:/@+-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 120)
}

/** Words from outside that describe a tool or a field of its input, on one line. */
export function asDescription(text: string, max: number): string {
  return headAndTail(plain(text).replace(/\s+/g, ' ').trim(), max)
}

function plain(text: string): string {
  return redact(text.toWellFormed()).replace(UNSEEN, ' ').replace(FRAME, '‹')
}

function name(text: string): string {
  return text.replace(/[^\w-]/g, '').slice(0, 20)
}

/** The beginning, the end, and how much is missing between them. */
export function headAndTail(text: string, max: number): string {
  if (text.length <= max) return text
  const note = `\n… ${text.length - max} characters left out …\n`
  const head = Math.ceil((max - note.length) * 0.7)
  const tail = max - note.length - head
  return `${text.slice(0, head).toWellFormed()}${note}${text.slice(-tail).toWellFormed()}`
}
