import { expect, test } from 'vitest'
import { readIncidentSeries } from '../../../agent/telemetry/incident-series.ts'
import type { Point } from '../../../integrations/ports/metrics.ts'
import { anEvidenceItem, anIncident, anIncidentView, at } from '../../support/builders.ts'

const incident = anIncident({ state: 'resolved', endedAt: at(60) })
const secondsOf = (moment: Date): number => moment.getTime() / 1_000
const stored = anEvidenceItem('E1', {
  kind: 'metrics',
  content: {
    service: 'payments',
    findings: [],
    failed: [],
    series: [
      {
        metric: 'error_ratio',
        unit: 'ratio',
        query: 'errors',
        points: [-20, 0, 20].map((second) => [secondsOf(at(second)), 0.4]),
      },
    ],
  },
})

/** The series of an incident that is over, where the source has these points and the evidence three. */
async function seriesFrom(points: Point[]) {
  return await readIncidentSeries(
    {
      incidents: {
        get: async () => incident,
        alerts: async () => anIncidentView().alerts,
        evidence: async () => [stored],
      },
      approvals: { approvals: async () => ({ items: [], next: null }) },
      telemetry: {
        metric: async (query) => ({
          ...{ ...query, environment: 'local', source: 'local', query: '', link: null, unit: 'ratio', unread: null, words: null },
          points,
        }),
        logs: () => Promise.reject(new Error('nobody asks')),
      },
      now: () => at(600),
    },
    incident.id,
  )
}

const momentsOf = async (points: Point[]): Promise<number[]> =>
  ((await seriesFrom(points))?.points ?? []).map((point) => (point.at.getTime() - at(0).getTime()) / 1_000)

test('what the source no longer has is taken from what was stored, and what it has from the source', async () => {
  expect(await momentsOf([])).toEqual([-20, 0, 20])
  expect(await momentsOf([10, 20, 30].map((second) => ({ at: at(second), value: 0 })))).toEqual([-20, 0, 10, 20, 30])
  expect(await momentsOf([-30, 30].map((second) => ({ at: at(second), value: 0 })))).toEqual([-30, 30])
})
