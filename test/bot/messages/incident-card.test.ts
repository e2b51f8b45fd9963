import { describe, expect, test } from 'vitest'
import type { IncidentView } from '../../../agent/agent.ts'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import type { IncidentState } from '../../../agent/domain/incident.ts'
import { button, type Card } from '../../../bot/messages/card.ts'
import { linesOf } from '../../../bot/messages/card-size.ts'
import { incidentCard } from '../../../bot/messages/incident-card.ts'
import { plainOf } from '../../../bot/messages/span.ts'
import {
  aHypothesis,
  anApproval,
  anEvidenceItem,
  anIncident,
  anIncidentView,
  approvalsInEveryState,
  aTimeline,
  at,
  incidentsInEveryState,
  someEvidence,
} from '../../support/builders.ts'

const CONSOLE = 'http://127.0.0.1:8080'
const cardOf = (view: IncidentView, consoleUrl: string | null = CONSOLE): Card => incidentCard(view, { now: at(10), consoleUrl })
const textOf = (card: Card): string => card.blocks.flatMap(linesOf).map(plainOf).join('\n')

describe('an incident card', () => {
  test('says what happened, how it is known, how sure that is, and what comes next', () => {
    const card = cardOf(anIncidentView())
    expect(card.notification).toBe('Sev 2, waiting for approval: payments answers errors to 38 % of requests (payments in local)')
    const words = textOf(card)
    for (const part of [
      'Sev 2 · payments answers errors to 38 % of requests',
      '“Roll back payments from v42 to v41” waits for approval, 0 of 1 so far.',
      'local says: “Error ratio of payments is 38 %, over its limit of 5 %.”',
      'Suspected cause: a bad release, in service/payments, since 02:08:31 UTC: likely, 86 %',
      '86 %: cross-check 100 × 50 %, evidence 72 × 50 % (no model)',
      'That is 6 s after payments went from v41 to v42. [E1, E2]',
      'Both replicas of v42 are ready. [E4]',
      'Whether v41 handles cards issued since the release.',
      'a dependency that is down, in service/bank: 12 %',
      'E2 changes from local: payments went from v41 to v42',
      'E5 traces (no data)',
    ])
      expect(words).toContain(part)
  })

  test('of one that a drill put back, it does not say that it recovered by itself', () => {
    const incident = anIncident({ state: 'healed', endedAt: at(90), drillRun: 'run-1' })
    const line = { incidentId: 'inc-1', seq: 9, at: at(80), kind: 'target-put-back', text: 'The drill is over.', detail: {} }
    const words = textOf(cardOf(anIncidentView({ incident, approvals: [], timeline: [...aTimeline(), line] })))
    expect(words).toContain("Symptom gone. The drill's clean-up put the target back; nothing else was run.")
    expect(words).not.toContain('by itself')
  })

  test.each([
    ['what an alert states, as the chart does', at(-135), '02:07:45 UTC, lasted 3 min 45 s'],
    ['an hour before it was opened at most', at(-90_000), '01:08:25 UTC, lasted 1 h 3 min'],
    ['when it was opened, where an alert states a later beginning', at(30), '02:08:25 UTC, lasted 3 min 5 s'],
  ])('it lasts since %s', (_, startsAt, since) => {
    const incident = anIncident({ state: 'resolved', endedAt: at(90) })
    const alerts = anIncidentView().alerts.map((alert) => ({ ...alert, startsAt: startsAt.toISOString() }))
    expect(textOf(cardOf(anIncidentView({ incident, alerts })))).toContain(`Since${since}`)
  })

  test('while its undo is due it says that the action did not help, and not that telemetry decides', () => {
    const due = approvalsInEveryState()['undo-waiting']?.approval
    expect(due).toBeDefined()
    const card = cardOf(anIncidentView({ incident: anIncident({ state: 'verifying' }), approvals: due ? [due] : [] }))
    expect(textOf(card)).toMatch(/The action did not help\. “Roll back .*”: It took effect, but telemetry shows that it did not help\./)
    expect(card.notification).toContain('the action did not help')
  })

  test('that an earlier action did not help says nothing of the one that is being verified', () => {
    const { failed, verifying } = approvalsInEveryState()
    const approvals = [failed, verifying].flatMap((each, turn) => (each ? [{ ...each.approval, createdAt: at(turn) }] : []))
    expect(approvals).toHaveLength(2)
    const card = cardOf(anIncidentView({ incident: anIncident({ state: 'verifying' }), approvals }))
    expect(card.notification).toContain('verifying the action')
    expect(textOf(card)).toContain('telemetry decides whether it helped')
  })

  test('says of a cause that is not known no per cent', () => {
    const words = textOf(cardOf(anIncidentView({ hypotheses: [aHypothesis({ class: 'unknown' })] })))
    expect(words).toContain('Suspected cause: not known yet. A guess would not help you.')
    expect(words).not.toContain('86 %')
  })

  test('counts no wish of a person as an alert', () => {
    const asked = { ...anIncidentView().alerts[0], source: 'person' } as IncidentView['alerts'][number]
    expect(textOf(cardOf(anIncidentView({ alerts: [asked] })))).toContain('Alertsnone: a person asked')
  })

  test('names the runbook that fits by file and heading: the latest search first, what it found in its order, each once', () => {
    const cite = (label: string, summary: string, seconds = 20) =>
      anEvidenceItem(label, { kind: 'runbook', source: 'runbooks', trust: 'chat', summary, to: at(seconds) })
    const view = anIncidentView({
      evidence: [
        ...someEvidence(),
        cite('E6', 'runbook: blip.md#leave-it-alone (A failure that heals: Leave it alone)', 10),
        cite('E7', 'runbook: bad-release.md#roll-back (A release that fails: <!channel> *Roll* back)'),
        cite('E8', 'runbook: blip.md#leave-it-alone (A failure that heals: Leave it alone)'),
        cite('E9', 'runbook: slow.md#first (A slow one: First)', 5),
      ],
    })
    const lists = cardOf(view).blocks.flatMap((block) => (block.type === 'list' && block.title === 'Runbook' ? [block.items] : []))
    expect(lists.flat().map(plainOf)).toEqual([
      'bad-release.md#roll-back (A release that fails: <!channel> *Roll* back) [E7]',
      'blip.md#leave-it-alone (A failure that heals: Leave it alone) [E8]',
    ])
    expect(cardOf(anIncidentView()).blocks.some((block) => block.type === 'list' && block.title === 'Runbook')).toBe(false)
  })

  test('links each label to the stored evidence, and only to the console', () => {
    const links = cardOf(anIncidentView())
      .blocks.flatMap(linesOf)
      .flat()
      .flatMap((span) => (span.type === 'link' ? [span.url] : []))
    expect(links.length).toBeGreaterThan(5)
    for (const url of links) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:8080\/#\/incidents\/INC-42\/E\d$/)
    const without = cardOf(anIncidentView(), null).blocks.flatMap(linesOf).flat()
    expect(without.filter((span) => span.type === 'link')).toEqual([])
  })

  test('does not present what the evidence does not hold as known', () => {
    const claims = [{ text: 'The database is down.', cites: ['E9'], supported: false }]
    const words = textOf(cardOf(anIncidentView({ hypotheses: [aHypothesis({ claims })] })))
    expect(words).not.toContain('What is known')
    expect(words).toContain('Said, but not found in the evidence\nThe database is down.')
    expect(words).not.toContain('E9')
  })

  test('says that it does not know rather than guess', () => {
    const words = textOf(cardOf(incidentsInEveryState()['observing'] ?? anIncidentView()))
    expect(words).toContain('Suspected cause: not known yet. A guess would not help you.')
  })

  test('says why nothing is proposed', () => {
    const noted = { ...aTimeline()[0], incidentId: 'INC-42', seq: 5, at: at(1), kind: 'nothing-proposed', detail: {} }
    const view = anIncidentView({
      incident: anIncident({ state: 'observing' }),
      approvals: [],
      timeline: [...aTimeline(), { ...noted, text: 'Nothing is proposed. The cause lies outside our reach.' }],
    })
    expect(textOf(cardOf(view))).toContain('Being watched. Nothing is proposed. The cause lies outside our reach.')
  })

  test('does not repeat why nothing was proposed once something became of a request', () => {
    const noted = { incidentId: 'INC-42', seq: 5, at: at(1), kind: 'nothing-proposed', detail: {} }
    const view = anIncidentView({
      incident: anIncident({ state: 'observing' }),
      approvals: [approvalsInEveryState()['verified']?.approval ?? anApproval()],
      timeline: [...aTimeline(), { ...noted, text: 'Nothing is proposed. Roll back payments is still open' }],
    })
    expect(textOf(cardOf(view))).not.toContain('still open')
    expect(textOf(cardOf(view))).toContain('Being watched. No action is open.')
  })

  test('has two buttons at most, the rest behind "more"', () => {
    const offers = (['ask', 'take', 'resolve', 'snooze', 'feedback'] as const).map((action) => button(action, action, 'INC-42'))
    const buttons = incidentCard(anIncidentView(), { now: at(10), consoleUrl: CONSOLE, offers }).blocks.find(
      ({ type }) => type === 'buttons',
    )
    expect(buttons).toMatchObject({
      buttons: [{ action: 'ask' }],
      open: { label: 'Open in the console', url: `${CONSOLE}/#/incidents/INC-42` },
      more: [{ action: 'take' }, { action: 'resolve' }, { action: 'snooze' }, { action: 'feedback' }],
    })
  })

  test('has no button at all where there is nothing to press', () => {
    expect(cardOf(anIncidentView(), null).blocks.filter(({ type }) => type === 'buttons')).toEqual([])
  })

  test('says that it healed by itself, and that nothing was run, only where nothing was sent', () => {
    const healed = anIncident({ state: 'healed', endedAt: at(300) })
    const of = (name: string) => anIncidentView({ incident: healed, approvals: [approvalsInEveryState()[name]?.approval ?? anApproval()] })
    for (const name of ['denied', 'aborted', 'expired']) {
      expect(textOf(cardOf(of(name)))).toContain('Healed by itself. It recovered by itself; nothing was run.')
    }
    for (const [name, end] of [
      ['undone', 'undone'],
      ['kept', 'did not help, kept'],
      ['undetermined', 'undetermined'],
      ['not-applied', 'not applied'],
    ] as const) {
      const card = cardOf(of(name))
      expect(textOf(card)).toContain(
        `Symptom gone. The symptom is gone. Last action: “Roll back payments from v42 to v41”, ${end}. Something was done here, so it is not said to have healed by itself.`,
      )
      expect(textOf(card)).not.toContain('nothing was run')
      expect(card.notification).toContain('Sev 2, symptom gone:')
    }
  })

  test('keeps a cause that was found first once it is over', () => {
    const gone = aHypothesis({
      class: 'resolved_by_itself',
      confidence: 95,
      claims: [{ text: 'Errors of payments: 0.0 % now.', cites: ['E1'], supported: true }],
    })
    const of = (before: Partial<Hypothesis>, state: IncidentState): string =>
      textOf(
        cardOf(
          anIncidentView({ incident: anIncident({ state, endedAt: at(9) }), hypotheses: [gone, aHypothesis({ rank: 2, ...before })] }),
        ),
      )
    const found = of({}, 'healed')
    expect(found).toContain('Suspected cause: a bad release, in service/payments')
    expect(found).toContain('How it ended\nErrors of payments: 0.0 % then. [E1]')
    expect(found).not.toContain('something that resolved itself')
    expect(of({ class: 'unknown' }, 'healed')).toContain('Suspected cause: something that resolved itself')
    expect(of({}, 'observing')).toContain('Suspected cause: something that resolved itself')
  })

  test('counts alerts, not deliveries', () => {
    const [first] = anIncidentView().alerts
    if (!first) throw new Error('the sample has an alert')
    const over = { ...first, status: 'resolved' as const }
    const second = { ...first, source: 'alertmanager' }
    const words = (alerts: IncidentView['alerts']) => textOf(cardOf(anIncidentView({ alerts })))
    expect(words([first, first])).toContain('Alerts1 alert, still firing')
    expect(words([first, over])).toContain('Alerts1 alert, over')
    expect(words([first, second, over])).toContain('Alerts2 alerts, 1 still firing')
    expect(words([first, second, over, { ...second, status: 'resolved' }])).toContain('Alerts2 alerts, all over')
    expect(words([over, first])).toContain('Alerts1 alert, still firing')
  })

  test('shows what the last round found, and how often it was asked', () => {
    const round = (n: number, summary: string) =>
      someEvidence().map((item, index) => ({ ...item, label: `E${n * 5 + index + 1}`, summary, collectedAt: at(n * 15) }))
    const view = (...summaries: string[]) =>
      anIncidentView({ evidence: summaries.flatMap((summary, n) => round(n, summary)), hypotheses: [aHypothesis({ claims: [] })] })
    const same = textOf(cardOf(view('nothing unusual', 'nothing unusual', 'nothing unusual')))
    expect(same.match(/nothing unusual/g)).toHaveLength(5)
    expect(same).toContain('E11 metrics from local: nothing unusual (checked 3 times, unchanged)')
    const changed = textOf(cardOf(view('12 % failed', '38 % failed')))
    expect(changed).toContain('E6 metrics from local: 38 % failed (checked 2 times)')
    expect(changed).not.toContain('12 % failed')
    const cited = textOf(cardOf(anIncidentView({ evidence: [...round(0, 'a'), ...round(1, 'a')] })))
    expect(cited).toContain('Evidence: E6 metrics · E7 changes · E8 logs · E9 workload · E10 traces (no data) (checked 2 times, unchanged)')
  })

  test('marks a drill as made on purpose', () => {
    expect(textOf(cardOf(incidentsInEveryState()['healed'] ?? anIncidentView()))).toContain('a drill: the fault was made on purpose')
    expect(textOf(cardOf(anIncidentView()))).not.toContain('drill')
  })

  test('says when and how it was over', () => {
    expect(textOf(cardOf(incidentsInEveryState()['resolved'] ?? anIncidentView()))).toContain(
      'Resolved. Last action: “Roll back payments from v42 to v41”, verified. It was over after 2 min 50 s.',
    )
  })
})
