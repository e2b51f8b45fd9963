import { describe, expect, it } from 'vitest'
import type { EvidenceItem } from '../../../agent/domain/evidence.ts'
import { isCorroborated } from '../../../agent/policy/corroboration.ts'

const item = (label: string, kind: string, trust: EvidenceItem['trust'], said: Partial<EvidenceItem> = {}): EvidenceItem => {
  const at = new Date('2026-03-01T10:42:00Z')
  return {
    ...{
      id: label,
      incidentId: 'inc-1',
      label,
      kind,
      source: 'shop',
      trust,
      status: 'ok',
      summary: '',
      query: '',
      from: at,
      to: at,
      link: null,
      content: {},
      hash: '',
      collectedAt: at,
    },
    ...said,
  }
}
const evidence = [
  item('E1', 'metrics', 'metric'),
  item('E2', 'metrics', 'metric'),
  item('E3', 'logs', 'log'),
  item('E4', 'logs', 'log', { source: 'other' }),
  item('E5', 'changes', 'platform'),
  item('E6', 'changes', 'platform', { status: 'empty' }),
  item('E7', 'symptom', 'metric'),
  item('E8', 'metrics', 'metric', { source: 'other' }),
  item('E9', 'tickets', 'chat'),
  item('E13', 'outside-metrics', 'chat', { source: 'mcp/tickets' }),
  item('E14', 'outside-logs', 'chat', { source: 'mcp/wiki' }),
  item('E10', 'workload', 'platform'),
  item('E11', 'cluster', 'platform'),
  item('E12', 'ranking', 'metric', { source: 'shop, other' }),
]

describe('a diagnosis is corroborated', () => {
  it.each<[string[], boolean]>([
    [['E1', 'E5'], true],
    [['E1', 'E3'], true],
    [['E1', 'E8'], true],
    [['E1', 'E2'], false],
    [['E1', 'E7'], false],
    [['E3', 'E4'], false],
    [['E10', 'E11'], false],
    [['E1', 'E11'], true],
    [['E3', 'E9'], false],
    [['E13'], false],
    [['E13', 'E14'], false],
    [['E3', 'E13', 'E14'], false],
    [['E1', 'E6'], false],
    [['E1'], false],
    [['E1', 'E12'], false],
    [['E3', 'E12'], false],
    [[], false],
    [['E1', 'E99'], false],
  ])('by %j: %j', (cites, expected) => {
    expect(isCorroborated({ claims: [{ text: 'x', cites, supported: true }] }, evidence)).toBe(expected)
    expect(isCorroborated({ claims: cites.map((label) => ({ text: 'x', cites: [label], supported: true })) }, evidence)).toBe(expected)
  })

  it('never by a claim that was struck', () => {
    expect(
      isCorroborated(
        {
          claims: [
            { text: 'x', cites: ['E1'], supported: true },
            { text: 'y', cites: ['E5'], supported: false },
          ],
        },
        evidence,
      ),
    ).toBe(false)
  })
})
