import { FAULT_CLASSES } from '../../agent/domain/fault-classes.ts'

/** What really was wrong, and what would have been right to do: the target's own knowledge, which no diagnosis sees. */
export interface DrillTruth {
  name: string
  expects: 'action' | 'no-action' | 'undo'
  truth: { class: string; component: string; action: string | null }
}

/** What came of one run, as the HTTP interface shows it. */
export interface DrillEnd {
  state: 'running' | 'passed' | 'failed'
  startedAt: string
  ended: string | null
  /** Best first. */
  hypotheses: readonly { class: string; component: string }[]
  approvals: readonly {
    createdAt: string
    votes: readonly unknown[]
    plan: { action: { kind: string }; cause: { class: string; component: string } }
    execution: object | null
  }[]
}

export interface DrillScore {
  name: string
  ended: 'as expected' | 'not as expected'
  cause: { right: boolean; named: string }
  action: { right: boolean; done: string }
  /** Whole seconds from the start to the first request for approval; null when nothing was asked. */
  askedAfter: number | null
  /** Whole seconds from the start to the end, the target being whole again. */
  seconds: number | null
  clicks: number
}

const NOTHING_TO_DO: readonly string[] = FAULT_CLASSES.none.filter((name) => name !== 'unknown')

/** Compares a run with the truth. Pure. A cause counts as it was when somebody was asked to act on it; that it healed says nothing of the cause. */
export function scoreDrill({ name, expects, truth }: DrillTruth, end: DrillEnd): DrillScore {
  const isBlip = NOTHING_TO_DO.includes(truth.class)
  const isHealed = ({ class: named }: { class: string }): boolean => NOTHING_TO_DO.includes(named)
  const named = end.approvals[0]?.plan.cause ?? end.hypotheses.find((each) => isBlip || !isHealed(each)) ?? null
  const isRight = isBlip ? named !== null && isHealed(named) : named?.class === truth.class && named.component === truth.component
  const done = end.approvals.filter(({ execution }) => execution !== null).map(({ plan }) => plan.action.kind)
  const asExpected = end.state === 'passed'
  const rightActions: Record<DrillTruth['expects'], boolean> = {
    action: done.length > 0 && done.every((kind) => kind === truth.action),
    'no-action': end.approvals.length === 0,
    undo: asExpected,
  }
  const asked = end.approvals.map(({ createdAt }) => createdAt).toSorted()[0] ?? null
  return {
    name,
    ended: asExpected ? 'as expected' : 'not as expected',
    cause: { right: isRight, named: named === null ? 'none' : `${named.class} of ${named.component}` },
    action: { right: rightActions[expects], done: done.join(', ') || 'none' },
    askedAfter: secondsBetween(end.startedAt, asked),
    seconds: secondsBetween(end.startedAt, end.ended),
    clicks: end.approvals.reduce((sum, { votes }) => sum + votes.length, 0),
  }
}

function secondsBetween(from: string, to: string | null): number | null {
  return to === null ? null : Math.round((Date.parse(to) - Date.parse(from)) / 1_000)
}

const HEAD = ['drill', 'ended', 'cause', 'action', 'asked', 'over', 'clicks']

/** The scores as lines of a table, with what was named or done where it was not right, and a sum. */
export function scoreLines(scores: readonly DrillScore[]): string[] {
  const inSeconds = (seconds: number | null): string => (seconds === null ? '–' : `${seconds} s`)
  const mark = (right: boolean): string => (right ? 'right' : 'wrong')
  const rows = scores.map((score) => [
    score.name,
    score.ended,
    mark(score.cause.right),
    mark(score.action.right),
    inSeconds(score.askedAfter),
    inSeconds(score.seconds),
    String(score.clicks),
  ])
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const count = (holds: (score: DrillScore) => boolean): string => `${scores.filter(holds).length} of ${scores.length}`
  return [
    line(HEAD),
    ...rows.map(line),
    '',
    ...scores.flatMap(({ name, cause, action }) => [
      ...(cause.right ? [] : [`${name}: the cause that was named is ${cause.named}`]),
      ...(action.right ? [] : [`${name}: what was done is ${action.done}`]),
    ]),
    `${count(({ ended }) => ended === 'as expected')} ended as expected, ${count(({ cause }) => cause.right)} causes and ${count(({ action }) => action.right)} actions were right.`,
  ]
}
