import { openSync, readFileSync, writeSync } from 'node:fs'

/** What a caller was told had happened: from then on it may not be lost. */
export type Ack =
  | { ack: 'asked'; requestId: string }
  | { ack: 'voted'; requestId: string; person: string; decision: 'approve' | 'deny' }
  | { ack: 'cancelled'; requestId: string }

export type Acknowledge = (ack: Ack) => void

/** A file that survives the process, as the memory of the people outside does. */
export function openAcks(path: string): Acknowledge {
  const file = openSync(path, 'a', 0o600)
  return (ack) => void writeSync(file, `${JSON.stringify(ack)}\n`)
}

export function readAcks(path: string): Ack[] {
  const text = readFileSync(path, 'utf8')
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => JSON.parse(row) as Ack)
}
