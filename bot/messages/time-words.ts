import type { Span } from './span.ts'

const HALF_A_DAY = 43_200

/** '02:14:30 UTC' */
export function clockWords(at: Date): string {
  return `${at.toISOString().slice(11, 19)} UTC`
}

/** '2026-03-14 02:14:30 UTC' */
export function dayClockWords(at: Date): string {
  return `${at.toISOString().slice(0, 10)} ${clockWords(at)}`
}

/** '45 s', '4 min 30 s', '2 h 5 min', '3 d 2 h': two units at most, rounded down. Negative is '0 s'. */
export function durationWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** Seconds from `from` to `to`, never negative. */
export function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1_000)
}

export function time(at: Date): Span {
  return { type: 'moment', at: at.toISOString(), style: 'time', words: clockWords(at) }
}

export function dayTime(at: Date): Span {
  return { type: 'moment', at: at.toISOString(), style: 'day-time', words: dayClockWords(at) }
}

/** The time alone while that says enough, with the day for what began long ago. */
export function sinceMoment(at: Date, now: Date): Span {
  return secondsBetween(at, now) < HALF_A_DAY ? time(at) : dayTime(at)
}

/** 'until 02:14:30 UTC (4 min left)'; a surface that can count down does so. */
export function deadline(at: Date, now: Date): Span {
  const left = durationWords(secondsBetween(now, at))
  return { type: 'moment', at: at.toISOString(), style: 'deadline', words: `until ${clockWords(at)} (${left} left)` }
}
