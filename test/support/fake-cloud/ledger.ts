import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

export type Scalar = string | number | boolean | null
export type State = Readonly<Record<string, Scalar>>

/** Who a call is from, for the judge alone: nothing the cloud does depends on it. */
export interface Witness {
  executionId: string
  planId: string
}

/** A change somebody asked for. `callId` is new for each call a client makes; a copy made by the network has the same. */
export interface Call {
  callId: string
  kind: string
  name: string
  parameters: State
  /** What has to hold at the target for the call to be obeyed, as far as the API of this kind knows such a thing. */
  guard: State
  /** What marks the change at the target, where the API of this kind has a place for it. */
  tag: string | null
  witness: Witness
}

/** One line of the ledger: a call arrived, will be obeyed later, was obeyed, or was not. `copy` counts from 1. */
export type LedgerLine =
  | { line: 'called'; copy: number; call: Call; behaviour: string }
  | { line: 'accepted'; copy: number; call: Call; due: number }
  | { line: 'applied'; copy: number; call: Call; state: State }
  | { line: 'unchanged' | 'refused'; copy: number; call: Call; words: string }

export interface Ledger {
  /** On disk when it returns. */
  append(line: LedgerLine): void
  close(): void
}

/** Opens the file for appending; a line that a crash tore is cut off. */
export function openLedger(path: string): { ledger: Ledger; lines: LedgerLine[] } {
  const file = openSync(path, 'a+', 0o600)
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole !== text) ftruncateSync(file, Buffer.byteLength(whole))
  return {
    lines: parseLedger(whole),
    ledger: {
      append(line) {
        writeSync(file, `${JSON.stringify(line)}\n`)
        fdatasyncSync(file)
      },
      close: () => closeSync(file),
    },
  }
}

/** What the ledger says by now, read while the cloud runs. */
export function readLedger(path: string): LedgerLine[] {
  const text = readFileSync(path, 'utf8')
  return parseLedger(text.slice(0, text.lastIndexOf('\n') + 1))
}

function parseLedger(text: string): LedgerLine[] {
  return text
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => JSON.parse(row) as LedgerLine)
}
