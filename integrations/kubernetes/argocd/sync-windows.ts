import { z } from 'zod'
import { flag, list, maybeText, text } from '../objects.ts'
import type { Application } from './application.ts'
import { parseSchedule } from './cron.ts'

/** The sync windows of a project (AppProject), as far as they are read. */
export const projectSchema = z.object({
  spec: z.object({
    syncWindows: list(
      z.object({
        kind: text,
        schedule: text,
        duration: text,
        applications: list(z.string(), 200),
        namespaces: list(z.string(), 200),
        clusters: list(z.string(), 200),
        manualSync: flag,
        timeZone: maybeText,
        andOperator: flag,
      }),
      200,
    ),
  }),
})
export type SyncWindow = z.output<typeof projectSchema>['spec']['syncWindows'][number]

const MINUTE_MS = 60_000
const LONGEST_MINUTES = 60 * 24 * 40
const UNITS: Readonly<Record<string, number>> = { h: 60, m: 1, s: 1 / 60 }

/**
 * Why no sync may begin now; null when one may. As the controller of Argo CD decides for syncs that nobody made by hand: what is set in `operation` by
 * others than its own server was seen to be kept back where `manualSync` should have let it through, and a sync that is kept back begins by itself when
 * the window opens, hours after anybody approved it. What cannot be understood stands against it.
 */
export function windowObjection(windows: readonly SyncWindow[], application: Application, now: Date): string | null {
  const own = windows.map((window) => ({ window, isOwn: concerns(window, application) })).filter(({ isOwn }) => isOwn !== false)
  const looked = own.map(({ window, isOwn }) => ({ window, isOwn, isActive: isActive(window, now) }))
  const unclear = looked.find((each) => each.isOwn === null || each.isActive === null || !['allow', 'deny'].includes(each.window.kind))
  if (unclear) return `it is not known whether a sync window denies it: "${shown(unclear.window)}" is not understood`
  const denying = looked.find((each) => each.isActive && each.window.kind === 'deny')
  if (denying) return `the sync window "${shown(denying.window)}" of its project denies syncs now${byHand(denying.window)}`
  const allows = looked.filter(({ window }) => window.kind === 'allow')
  const [closed] = allows
  if (!closed || allows.some((each) => each.isActive)) return null
  return `its project lets it sync only in the window "${shown(closed.window)}", which is closed${byHand(closed.window)}`
}

function byHand({ manualSync }: SyncWindow): string {
  return manualSync ? ', and lets people sync by hand: argocd app sync' : ''
}

function shown({ kind, schedule, duration, timeZone }: SyncWindow): string {
  return `${kind} ${schedule} for ${duration}${timeZone ? ` ${timeZone}` : ''}`.slice(0, 100).toWellFormed()
}

/** Whether a window is meant for an application; null when that cannot be told. */
function concerns(
  { applications, namespaces, clusters, andOperator }: SyncWindow,
  { metadata, spec: { destination } }: Application,
): boolean | null {
  const looked = [
    fits(applications, [metadata.name]),
    fits(namespaces, [destination.namespace ?? '']),
    fits(clusters, [destination.server ?? '', destination.name ?? '']),
  ]
  const named = looked.filter((_, index) => [applications, namespaces, clusters][index]?.length !== 0)
  if (named.includes(null)) return null
  return andOperator ? named.length > 0 && named.every((each) => each) : named.some((each) => each)
}

function fits(patterns: readonly string[], values: readonly string[]): boolean | null {
  // Argo CD's patterns know more than these two signs.
  if (patterns.some((pattern) => /[[\]{}\\]/.test(pattern))) return null
  return patterns.some((pattern) => values.some((value) => value !== '' && isLike(value, pattern)))
}

/** `*` stands for any signs, `?` for one. In steps that grow with the product of both lengths, whatever the pattern. */
function isLike(value: string, pattern: string): boolean {
  let reached = new Set([0])
  for (const sign of pattern) {
    const first = Math.min(...reached)
    const next =
      sign === '*' ? allFrom(first, value.length) : [...reached].filter((at) => sign === '?' || value[at] === sign).map((at) => at + 1)
    reached = new Set([...next].filter((at) => at <= value.length))
    if (reached.size === 0) return false
  }
  return reached.has(value.length)
}

function allFrom(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Whether it began less than its duration ago; null when that cannot be told. */
function isActive({ schedule, duration, timeZone }: SyncWindow, now: Date): boolean | null {
  const [begins, minutes, local] = [parseSchedule(schedule), minutesOf(duration), localTime(now, timeZone)]
  if (!begins || minutes === null || local === null) return null
  const first = Math.floor(local / MINUTE_MS) * MINUTE_MS
  for (let at = first; at > local - minutes * MINUTE_MS; at -= MINUTE_MS) if (begins(partsOf(new Date(at)))) return true
  return false
}

/** '1h30m' as Go writes it; null for anything else, or too long to look at. */
function minutesOf(duration: string): number | null {
  if (!/^(\d{1,6}(\.\d{1,6})?[hms])+$/.test(duration)) return null
  const parts = [...duration.matchAll(/([\d.]+)([hms])/g)]
  const minutes = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0)
  return minutes <= LONGEST_MINUTES ? minutes : null
}

/** The clock of a time zone as if it were UTC's, in milliseconds: Argo CD, too, shifts the whole schedule by the zone's distance of this moment. */
function localTime(now: Date, timeZone: string | null): number | null {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: timeZone || 'UTC', timeZoneName: 'longOffset' })
    const name = format.formatToParts(now).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(name) ?? []
    return now.getTime() + (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function partsOf(at: Date) {
  return {
    minute: at.getUTCMinutes(),
    hour: at.getUTCHours(),
    day: at.getUTCDate(),
    month: at.getUTCMonth() + 1,
    weekday: at.getUTCDay(),
  }
}
