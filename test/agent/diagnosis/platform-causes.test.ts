import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../../agent/diagnosis/candidate.ts'
import type { ClusterContent } from '../../../agent/diagnosis/evidence-content.ts'
import { rankCauses } from '../../../agent/diagnosis/rank-causes.ts'
import { at, change, facts, moved } from '../../support/facts.ts'

type Found = ClusterContent['findings'][number]

const found = (said: Partial<Found> = {}): Found => ({
  class: 'oom_killed',
  component: 'service/payments',
  score: 93,
  words: 'payments-x is killed for using more memory than its limit (OOMKilled, exit code 137), 3 restarts.',
  quotes: ['OOMKilled'],
  since: at(50),
  services: ['payments'],
  ...said,
})
const short = { service: 'payments', desired: 3, ready: 2 }
const cluster = (...findings: Found[]): Partial<ClusterContent> => ({ findings, workloads: [short] })
const named = ({ class: fault, component, score }: Candidate): [string, string, number] => [fault, component, score]
const texts = (statements: Candidate['claims']): string => statements.map(({ text }) => text).join('\n')

describe('what the platform itself says is wrong', () => {
  it('is a cause of its own, with its words, what it rests on and who is short of pods', () => {
    const [first] = rankCauses(facts({ cluster: cluster(found()) }))
    expect(first && named(first)).toEqual(['oom_killed', 'service/payments', 93])
    expect(texts(first?.claims ?? [])).toContain('The platform says “OOMKilled”.\n2 of 3 pods of payments are ready.')
    expect(first?.claims.every(({ cites }) => cites.length > 0)).toBe(true)
    expect(texts(first?.against ?? [])).toBe('Errors of payments: 0.0 % now, nothing unusual.')
    expect(first?.since).toEqual(new Date(at(50)))
  })

  it('and another rule sees as well is one cause, with what both say', () => {
    const restarting = {
      metrics: [moved('restarts', 0, 3, 58), moved('error_ratio', 0, 0.4, 58)],
      workload: {
        restarts: 3,
        desiredReplicas: 3,
        readyReplicas: 2,
        events: [{ at: at(58), text: 'Pod x: container app ended: OOMKilled' }],
      },
    }
    const causes = rankCauses(facts({ services: { payments: restarting }, cluster: cluster(found()) }))
    const same = causes.filter(({ class: fault }) => fault === 'oom_killed')
    expect(same.map(named)).toEqual([['oom_killed', 'service/payments', 93]])
    expect(new Set(same[0]?.claims.flatMap(({ cites }) => cites))).toEqual(new Set(['cluster', 'metrics-payments', 'workload-payments']))
  })

  it('after a release gives way to it, and says so', () => {
    const causes = rankCauses(
      facts({
        services: { payments: { metrics: [moved('error_ratio', 0, 0.4, 52)], workload: { version: 'v42' } } },
        changes: [change('release', 'payments', 45)],
        cluster: cluster(found()),
      }),
    )
    expect(causes.map(named).slice(0, 2)).toEqual([
      ['bad_release', 'service/payments', 92],
      ['oom_killed', 'service/payments', 79],
    ])
    expect(texts(causes[1]?.against ?? [])).toContain('payments was changed at 10:41:45 UTC, close before')
  })

  it('below the service is a cause, elsewhere is none, and is a possibility where nobody knows who calls whom', () => {
    const about = (service: string, edges?: false) =>
      rankCauses(facts({ service, cluster: cluster(found()), ...(edges === false ? { edges } : {}) }))
    expect(about('checkout').map(named)).toContainEqual(['oom_killed', 'service/payments', 93])
    expect(about('inventory').map(named).join()).not.toContain('oom_killed')
    const unconnected = about('inventory', false)
    expect(unconnected[0]?.class).toBe('unknown')
    expect(unconnected.map(named)).toContainEqual(['oom_killed', 'service/payments', 35])
    expect(texts(unconnected.flatMap(({ against }) => against))).toContain('Nothing that is known connects it with inventory.')
  })

  it('of a node counts for those who run there', () => {
    const node = found({ class: 'kubelet_unavailable', component: 'node/node-0', score: 90, services: ['payments', 'checkout'] })
    expect(rankCauses(facts({ cluster: cluster(node) })).map(named)[0]).toEqual(['kubelet_unavailable', 'node/node-0', 90])
    expect(
      rankCauses(facts({ service: 'inventory', cluster: cluster(node) }))
        .map(named)
        .join(),
    ).not.toContain('kubelet')
  })

  it('is no cause when it is that all pods are well: whether an alert is over is read from what it measures', () => {
    const healed = found({ class: 'false_alarm', component: 'namespace/shop', score: 75, services: [] })
    expect(
      rankCauses(facts({ cluster: cluster(healed) }))
        .map(named)
        .join(),
    ).not.toContain('false_alarm')
  })

  it('of an earlier hour does not say when this began, and what was not read is said', () => {
    const [first] = rankCauses(
      facts({ cluster: { ...cluster(found({ since: '2026-02-27T10:00:00.000Z' })), unread: ['nodes', 'events'] } }),
    )
    expect(first?.since).toBeNull()
    expect(first?.unknown).toEqual(['what the cluster says of its nodes, events: not read'])
  })
})
