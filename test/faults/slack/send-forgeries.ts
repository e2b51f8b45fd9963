import type { Json } from '../../support/slack/json.ts'
import type { SlackServer } from '../../support/slack/server.ts'
import { type Random, seeded } from '../races/random.ts'
import { again, type Kind } from './forgeries.ts'

export interface ForgeryReport {
  /** How many of each kind were sent. */
  readonly sent: Map<string, number>
  readonly signed: number
  /** Requests without Slack's signature that were answered as if they had it, by kind. */
  readonly taken: Map<string, number>
  readonly seconds: number
}

export interface ForgeryRun {
  readonly slack: SlackServer
  readonly click: Json
  readonly kinds: readonly Kind[]
  readonly count: number
  readonly seed: number
}

/** One in so many carries Slack's own signature. */
const SIGNED_EACH = 5
/** One in so many signed ones comes twice, byte for byte. */
const TWICE_EACH = 10
const AT_ONCE = 16

export async function sendForgeries({ slack, click, kinds, count, seed }: ForgeryRun): Promise<ForgeryReport> {
  const report = { sent: new Map<string, number>(), signed: 0, taken: new Map<string, number>() }
  const started = performance.now()
  let next = 0
  const sendOne = async (index: number): Promise<void> => {
    const random = seeded(seed, index)
    const kind = pick(
      kinds.filter(({ signed }) => signed === (index % SIGNED_EACH === 0)),
      random,
    )
    const request = kind.make(again(click, index), random)
    const { status } = await slack.forge(request)
    if (kind.signed && index % (SIGNED_EACH * TWICE_EACH) === 0) await slack.forge(request)
    add(report.sent, kind.name)
    if (kind.signed) report.signed += 1
    else if (status === 200) add(report.taken, kind.name)
  }
  const sender = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await sendOne(next)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sender))
  return { ...report, seconds: (performance.now() - started) / 1_000 }
}

function pick<T>(from: readonly T[], random: Random): T {
  const found = from[Math.floor(random() * from.length)]
  if (found === undefined) throw new Error('there is nothing to pick from')
  return found
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
