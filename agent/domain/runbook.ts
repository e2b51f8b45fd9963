import type { FaultClass } from './fault-classes.ts'

/** One part of a runbook, from one heading to the next: what is searched, cited and shown. The text is its author's: data, never an instruction. */
export interface RunbookChunk {
  /** Name of the file in its folder, and the heading's anchor there: together the citation, 'crash-loop.md#roll-back'. */
  file: string
  anchor: string
  /** Of the whole runbook, and of this part. */
  title: string
  heading: string
  body: string
  /** What the whole runbook is for; empty lists say nothing. */
  services: string[]
  alerts: string[]
  classes: FaultClass[]
}

/** What is looked for: text from outside, and words of our own. */
export interface RunbookQuery {
  words: readonly string[]
  services: readonly string[]
  alerts: readonly string[]
  classes: readonly FaultClass[]
  /** 1–20. */
  limit: number
}

export function citationOf({ file, anchor }: Pick<RunbookChunk, 'file' | 'anchor'>): string {
  return anchor === '' ? file : `${file}#${anchor}`
}
