import type { Alert } from './alert.ts'
import type { FaultClass } from './fault-classes.ts'
import type { Hypothesis } from './hypothesis.ts'

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

/** An incident, as far as a runbook may fit it. */
export interface RunbookSubject {
  service: string
  alerts: readonly Pick<Alert, 'name'>[]
  /** The first one, where it was looked into. */
  hypothesis: Hypothesis | undefined
}

const FOUND_AT_MOST = 2

/** What to look for: the cause where one is known, the alerts, and the words of both. Pure. */
export function runbookQuery({ service, alerts, hypothesis }: RunbookSubject): RunbookQuery {
  const cause = hypothesis && hypothesis.class !== 'unknown' ? hypothesis.class : null
  const blamed = hypothesis?.component.split('/')[1]
  const names = [...new Set(alerts.map(({ name }) => name))]
  return {
    words: [...(cause ? cause.split('_') : []), ...names.flatMap((name) => name.split(/(?=[A-Z])|[\s_-]+/))],
    services: [...new Set([...(blamed ? [blamed] : []), service])],
    alerts: names,
    classes: cause ? [cause] : [],
    limit: FOUND_AT_MOST,
  }
}

export function citationOf({ file, anchor }: Pick<RunbookChunk, 'file' | 'anchor'>): string {
  return anchor === '' ? file : `${file}#${anchor}`
}
