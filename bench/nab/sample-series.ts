import type { Series } from './run.ts'

const STEP_SECONDS = 300
const POINTS = 4_000
const START = Date.UTC(2026, 2, 2) / 1_000

/** A day's rhythm with noise, and the same with a spike and a lasting shift in it; made here, for a run without data. */
export function sampleSeries(): Series[] {
  return [
    { ...made('sample/rhythm.csv', () => 0), windows: [] },
    {
      ...made(
        'sample/rhythm-with-faults.csv',
        (point) => (point >= 2_000 && point < 2_010 ? 90 : 0) + (point >= 3_200 && point < 3_400 ? -45 : 0),
      ),
      windows: [
        [1_960, 2_100],
        [3_160, 3_400],
      ],
    },
  ]
}

function made(name: string, fault: (point: number) => number): Omit<Series, 'windows'> {
  const points = Array.from({ length: POINTS }, (_, point) => point)
  const at = (point: number): number => START + point * STEP_SECONDS
  const noise = (point: number): number => ((point * 7_919) % 1_000) / 100
  return {
    name,
    times: points.map((point) => new Date(at(point) * 1_000).toISOString().slice(0, 19).replace('T', ' ')),
    values: points.map((point) => 50 + 40 * Math.sin((at(point) / 86_400) * 2 * Math.PI) + noise(point) + fault(point)),
  }
}
