/** When a schedule begins: five fields as Argo CD reads them. All moments are of the clock that the schedule is written for. */
export type Schedule = (at: { minute: number; hour: number; day: number; month: number; weekday: number }) => boolean

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

interface Field {
  values: ReadonlySet<number>
  isAny: boolean
}

/** Null for what is no such schedule: nobody may guess when a window is open. */
export function parseSchedule(text: string): Schedule | null {
  const parts = text.trim().split(/\s+/)
  const [minute, hour, day, month, weekday] = [
    fieldOf(parts[0], 0, 59),
    fieldOf(parts[1], 0, 23),
    fieldOf(parts[2], 1, 31),
    fieldOf(parts[3], 1, 12, MONTHS, 1),
    fieldOf(parts[4], 0, 6, DAYS),
  ]
  if (parts.length !== 5 || !minute || !hour || !day || !month || !weekday) return null
  return (at) => {
    const [onDay, onWeekday] = [day.values.has(at.day), weekday.values.has(at.weekday)]
    // Where both are named, either is enough.
    const isDay = day.isAny || weekday.isAny ? onDay && onWeekday : onDay || onWeekday
    return minute.values.has(at.minute) && hour.values.has(at.hour) && month.values.has(at.month) && isDay
  }
}

function fieldOf(text: string | undefined, least: number, most: number, names: readonly string[] = [], firstName = 0): Field | null {
  const values = new Set<number>()
  let isAny = false
  for (const part of (text ?? '').split(',')) {
    const [, range = '', step = '1'] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(part) ?? []
    const by = Number(step)
    const isAll = range === '*' || range === '?'
    const [from, to, ...more] = isAll ? [least, most] : range.split('-').map((each) => numberOf(each, names, firstName))
    // '5/15' goes on from 5 to the end.
    const last = to ?? (part.includes('/') ? most : from)
    if (from === undefined || last === undefined || more.length > 0 || by < 1) return null
    if (!(from >= least && last <= most && from <= last)) return null
    for (let value = from; value <= last; value += by) values.add(value)
    isAny ||= isAll && by === 1
  }
  return { values, isAny }
}

function numberOf(text: string, names: readonly string[], firstName: number): number {
  const named = names.indexOf(text.toLowerCase())
  if (named >= 0) return named + firstName
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
}
