import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ENDED_STATES, INCIDENT_STATES } from '../../../agent/domain/incident.ts'
import { approvalCard } from '../../../bot/messages/approval-card.ts'
import { incidentCard } from '../../../bot/messages/incident-card.ts'
import { incidentStateWords } from '../../../bot/messages/incident-words.ts'
import { escapeCode, escapeMrkdwn } from '../../../bot/slack/escape.ts'
import { type RenderedMessage, renderBlocks } from '../../../bot/slack/render.ts'
import { anApproval, approvalsInEveryState, at, incidentsInEveryState, nameOf } from '../../support/builders.ts'
import { type BlockContext, elementsOf, loadConsoleModules, type Tree } from '../../support/console-modules.ts'
import { hostileText } from '../../support/hostile-text.ts'

const {
  age,
  alertsSection,
  approvalMark,
  approvalTone,
  contentView,
  countdown,
  digestOnCard,
  evidenceSection,
  h,
  incidentHash,
  link,
  parseMrkdwn,
  parseRoute,
  roundsOf,
  shellView,
  panelsStillTrue,
  shownDigest,
  stateTone,
  stateWords,
  textOf,
  viewOfBlocks,
} = await loadConsoleModules()

const ORIGIN = 'http://127.0.0.1:8080'
const context = (now: Date): BlockContext => ({ origin: ORIGIN, now })
const approvals = Object.entries(approvalsInEveryState())

function approvalMessage(name: string): RenderedMessage {
  const state = approvalsInEveryState()[name]
  if (!state) throw new Error(`no such sample: ${name}`)
  return renderBlocks(approvalCard(state.approval, { now: state.now, whoMay: ['alice', 'carol'], names: nameOf, consoleUrl: ORIGIN }))
}

const buttonsOf = (trees: Tree[]) => elementsOf(trees).filter(({ tag }) => tag === 'button')

describe('pictures in the console', () => {
  const shown = (image_url: string) => viewOfBlocks([{ type: 'image', image_url, alt_text: 'Chart of errors' }], context(at(0)))
  test('are those that this server draws, whatever name it is reached by', () => {
    for (const origin of [ORIGIN, 'http://localhost:9', 'https://steadyhand.example'])
      expect(elementsOf(shown(`${origin}/api/v1/incidents/inc-1/chart.png?v=3`))).toMatchObject([
        { tag: 'img', attrs: { src: '/api/v1/incidents/inc-1/chart.png?v=3', alt: 'Chart of errors' } },
      ])
  })
  test.each([
    'https://evil.example/x.png',
    'javascript:alert(1)//api/v1/x.png',
    `${ORIGIN}/api/v1/session`,
    '//evil.example/api/v1/x.png',
    '',
  ])('are words where the address is another: %s', (address) => {
    expect(elementsOf(shown(address)).filter(({ tag }) => tag === 'img')).toEqual([])
    expect(textOf(shown(address))).toBe('Chart of errors')
  })
})

describe('text in the console', () => {
  test('loses what nobody sees, wherever it stands', () => {
    expect(textOf([h('li', null, 'a\u202eb', ['c\u200bd\u{e0041}'], h('span', null, '\ufeffe'))])).toBe('abcde')
  })
})

describe('what stands beside an incident', () => {
  const at0 = { origin: ORIGIN, now: at(30), wide: true }
  const evidence = (rounds: string[]) =>
    rounds.map((summary, n) => ({
      ...{ label: `E${n + 1}`, kind: 'metrics', source: 'local', status: 'ok', query: 'error_ratio', summary, link: null },
      ...{ hash: 'ab'.repeat(32), from: at(0).toISOString(), to: at(n).toISOString() },
    }))

  test('is the last answer to each question; the earlier ones are folded below it', () => {
    expect(roundsOf(evidence(['a', 'a', 'b']))).toMatchObject([{ latest: { label: 'E3' }, earlier: [{ label: 'E1' }, { label: 'E2' }] }])
    const shown = evidenceSection({ evidence: evidence(['a', 'a']) }, '', at0)
    expect(textOf([shown])).toContain('checked 2 times, unchanged')
    expect(textOf([evidenceSection({ evidence: evidence(['a', 'b']) }, '', at0)])).not.toContain('unchanged')
    expect(textOf([evidenceSection({ evidence: evidence(['a']) }, '', at0)])).not.toContain('checked')
  })

  test('is folded where there is no room beside the cards', () => {
    const fold = (wide: boolean) =>
      elementsOf([evidenceSection({ evidence: evidence(['a']) }, '', { ...at0, wide })]).find(({ attrs }) => attrs['class'] === 'fold')
    expect(fold(true)?.attrs['open']).toBe('')
    expect(fold(false)?.attrs).toEqual({ class: 'fold' })
  })

  test('opens the fold that holds the item an address names', () => {
    const folds = elementsOf([evidenceSection({ evidence: evidence(['a', 'a']) }, 'E1', at0)]).filter(
      ({ attrs }) => attrs['class'] === 'earlier' || attrs['id'] === 'evidence-E1',
    )
    expect(folds.map(({ attrs }) => attrs['open'])).toEqual(['', ''])
  })

  test('are the pages that the senders of alerts name, as links that tell them nothing', () => {
    const alert = (page: string | null, runbook?: string) => ({
      ...{ source: 'alertmanager', name: 'HighErrorRatio', link: page },
      annotations: runbook === undefined ? {} : { runbook_url: runbook },
    })
    const shown = alertsSection(
      { alerts: [alert('https://prom.example/g', 'http://wiki.example/r'), alert('https://prom.example/g')] },
      at0,
    )
    const links = elementsOf(shown === null ? [] : [shown]).filter(({ tag }) => tag === 'a')
    expect(links.map(({ attrs }) => [attrs['href'], attrs['rel']])).toEqual([
      ['https://prom.example/g', 'noopener noreferrer'],
      ['http://wiki.example/r', 'noopener noreferrer'],
    ])
    expect(textOf(shown === null ? [] : [shown])).toContain('Runbook of HighErrorRatio, from alertmanager: http://wiki.example/r')
    expect(alertsSection({ alerts: [alert('javascript:alert(1)', 'data:text/html,x'), alert(null)] }, at0)).toBeNull()
  })
})

describe('the head of every page', () => {
  const people = [{ id: 'alice', name: 'Alice', roles: ['approver'] }]
  const stop = (startVotes: string[] = [], scope = '*') => ({ scope, by: 'alice', at: at(0).toISOString(), startVotes })
  const headOf = (reasons: string[], stops: object[] = [], more: object = {}) =>
    shellView(
      {
        mode: { mode: 'observe', reasons, stops, at: at(0) },
        modeRefused: null,
        people,
        connection: 'live',
        route: { page: 'home' },
        me: people[0],
        ...more,
      },
      { origin: ORIGIN, now: at(0) },
      [],
    )
  const controls = (trees: Tree[]) => buttonsOf(trees).map(({ attrs }) => attrs['data-do'])

  test('leads to the identity provider where people sign in there, and says when the session has ended', () => {
    const signIn = { way: 'provider', at: '/auth/login' }
    const nobody = headOf([], [], { me: null, signIn, sessionEnded: false })
    expect(controls(nobody)).toContain('sign-in-there')
    expect(controls(nobody)).not.toContain('sign-in')
    expect(textOf(nobody)).toContain('You are not signed in.')
    expect(textOf(headOf([], [], { me: null, signIn, sessionEnded: true }))).toContain('Your session has ended.')
    const alice = headOf([], [], { signIn, people: [...people, { id: 'bob', name: 'Bob', roles: ['viewer'] }] })
    expect(controls(alice)).not.toContain('sign-in')
    expect(controls(alice)).toContain('sign-out')
  })

  test('says who stopped everything, and offers to start again', () => {
    const head = headOf(['nobody holds the approver role', 'Stopped by alice at 02:10 UTC'], [stop()])
    expect(textOf(head)).toContain('Stopped by Alice at ')
    expect(textOf(head)).toContain('To start again, two people have to say so.')
    expect(textOf(head)).not.toContain('Stopped by alice')
    expect(controls(head)).toContain('start-again')
    expect(controls(head)).not.toContain('stop')
    expect(elementsOf(head).find(({ attrs }) => attrs['class'] === 'pill bad')).toBeDefined()
  })

  test('tells the second person that their word starts it, and the first to wait', () => {
    const second = headOf([], [stop(['bob'])])
    expect(textOf(second)).toContain('bob said start: the word of one more person with the role approver starts it at once.')
    expect(controls(second)).toContain('start-again')
    const first = headOf([], [stop([String(people[0]?.id)])])
    expect(textOf(first)).toContain('You said start: it waits for one more person')
    expect(controls(first)).not.toContain('start-again')
  })

  test.each([
    [['nobody holds the approver role'], []],
    [['Stopped (env:prod) by alice at 02:10 UTC'], [stop([], 'env:prod')]],
    [[], []],
  ])('offers no start for anything else: %j', (reasons, stops) => {
    const head = headOf(reasons, stops)
    expect(controls(head)).toContain('stop')
    expect(controls(head)).not.toContain('start-again')
    expect(textOf(head)).toContain('Observes only')
    for (const reason of reasons) expect(textOf(head)).toContain(reason)
  })

  test('knows nothing of a process that does not answer, and says when it last did', () => {
    const refused = { status: 0, code: 'no-answer', title: 'Steadyhand does not answer.', detail: null }
    const head = textOf(headOf(['nobody holds the approver role'], [], { modeRefused: refused, connection: 'lost' }))
    expect(head).toContain('State unknown')
    expect(head).toMatch(/Whether Steadyhand acts now is not known\. At \d\d:\d\d:\d\d it said: observes only\./)
    expect(head).toContain(`Nobody answers at ${ORIGIN}.`)
    expect(head).not.toContain('it investigates and explains')
    expect(textOf(headOf([], [], { mode: null, modeRefused: refused }))).not.toContain('it said')
    expect(textOf(headOf([], [], { modeRefused: { ...refused, status: 503, title: 'The database is away.' } }))).toContain(
      'Steadyhand is not ready. The database is away.',
    )
  })
})

describe('the content of a stored result', () => {
  const shown = (content: unknown) => textOf(contentView(content, at(0)))
  test('is figures of a series, lines of a log, changes and events in words', () => {
    const points = [
      [1, 0.5],
      [2, 0.25],
      [3, 1],
    ]
    expect(shown({ series: [{ metric: 'error_ratio', unit: '', points }] })).toContain('error_ratio0.25113')
    expect(shown({ patterns: [{ count: 19, sample: 'POST <b>failed</b>', last: at(0).toISOString() }] })).toContain('19POST <b>failed</b>')
    expect(shown({ changes: [{ at: at(0).toISOString(), summary: 'v41 to v42', by: 'pipeline' }] })).toContain('v41 to v42pipeline')
    expect(shown({ events: [{ at: 'never', text: 'ready' }] })).toContain('ready')
  })
  test('is shown as it is where the shape is another, and cut where it is long', () => {
    expect(shown({ found: false })).toContain('"found": false')
    expect(shown(null)).toBe('null')
    expect(shown({ points: [['x', 'y'], null] })).toContain('no data')
    expect(shown('x'.repeat(50_000)).length).toBeLessThanOrEqual(20_000)
    expect(shown({ events: Array.from({ length: 60 }, () => ({ text: 'e' })) })).toContain('and 10 more')
  })
})

describe('the states of an incident', () => {
  test.each(Object.values(incidentsInEveryState()))('are in the same words as on the cards: $incident.state', (view) => {
    const words = view.incident.state === 'healed' ? 'symptom gone' : incidentStateWords(view)
    expect(stateWords(view.incident.state)).toBe(words)
  })
  test('an open one never looks as if nothing were', () => {
    const open = INCIDENT_STATES.filter((state) => !ENDED_STATES.includes(state))
    expect(open.map(stateTone).filter((tone) => tone === 'calm' || tone === 'good')).toEqual([])
  })
})

describe('what is said below a card', () => {
  const approval = (more: object = {}) => ({ id: 'r1', state: 'pending', votes: [], execution: null, ...more })
  const panel = (more: object = {}) => ({
    open: null,
    busy: false,
    refused: null,
    done: null,
    key: null,
    about: null,
    ...more,
  })
  const refused = panel({ refused: { title: 'No.', detail: null, code: 'not-authorised' }, about: approvalMark(approval()) })
  const leftOf = (one: object, now: object) => panelsStillTrue({ r1: one }, new Map([['r1', now]]))['r1']

  test('stays while the request is as it was', () => {
    expect(leftOf(refused, approval())).toEqual(refused)
  })
  test.each([
    ['a vote was counted', approval({ votes: [{}] })],
    ['it was decided', approval({ state: 'denied' })],
    ['it ended', approval({ state: 'done', execution: { outcome: 'verified' } })],
  ])('goes when %s', (_why, now) => expect(leftOf(refused, now)).toEqual(panel()))
  test('stays while what was approved is carried out', () => {
    const done = panel({ done: 'Recorded.', about: approvalMark(approval({ state: 'authorised' })) })
    expect(leftOf(done, approval({ state: 'executing' }))).toEqual(done)
    expect(leftOf(done, approval({ state: 'done', execution: { outcome: 'failed' } }))).toEqual(panel())
  })
  test('a form of a decided request closes, a click under way stays', () => {
    expect(leftOf(panel({ open: 'deny' }), approval())).toMatchObject({ open: 'deny' })
    expect(leftOf(panel({ open: 'deny' }), approval({ state: 'expired' }))).toEqual(panel())
    expect(leftOf(panel({ open: 'deny', busy: true }), approval({ state: 'denied' }))).toMatchObject({ busy: true })
  })
})

describe('cards in the console', () => {
  test.each(approvals)('approval %s: every text of the blocks is shown', (name, { now }) => {
    const { blocks } = approvalMessage(name)
    const shown = textOf(viewOfBlocks(blocks, context(now)))
    for (const text of plainTexts(blocks)) expect(shown).toContain(text)
    expect(shown).not.toContain('cannot be shown here')
  })

  test.each(Object.entries(incidentsInEveryState()))('incident %s: every text of the blocks is shown', (_name, view) => {
    const { blocks } = renderBlocks(incidentCard(view, { now: at(10), consoleUrl: ORIGIN }))
    const shown = textOf(viewOfBlocks(blocks, context(at(10))))
    for (const text of plainTexts(blocks)) if (text !== 'Open in the console') expect(shown).toContain(text)
  })

  test('buttons say what they do and about which request', () => {
    const buttons = buttonsOf(viewOfBlocks(approvalMessage('asking').blocks, context(at(30))))
    expect(buttons.map(({ attrs, children }) => [textOf(children), attrs['data-do'], attrs['data-ref']])).toEqual([
      ['Approve', 'approve', anApproval().id],
      ['Deny', 'deny', anApproval().id],
      ['Ask', 'ask', anApproval().id],
    ])
  })

  test('what belongs to a request stands right below its buttons', () => {
    const afterActions = (ref: string): Tree[] => [h('p', null, `panel of ${ref}`)]
    const trees = viewOfBlocks(approvalMessage('asking').blocks, { ...context(at(30)), afterActions })
    const row = trees.findIndex((tree) => typeof tree !== 'string' && tree.attrs['class'] === 'actions')
    expect(textOf(trees.slice(row + 1, row + 2))).toBe(`panel of ${anApproval().id}`)
    const hidden = viewOfBlocks(approvalMessage('asking').blocks, { ...context(at(30)), afterActions, hideActions: true })
    expect(buttonsOf(hidden)).toEqual([])
    expect(textOf(hidden)).toContain('panel of')
  })

  test('a deadline counts down, any other moment does not', () => {
    const at30 = textOf(viewOfBlocks(approvalMessage('asking').blocks, context(at(30))))
    const at599 = textOf(viewOfBlocks(approvalMessage('asking').blocks, context(at(599))))
    expect(at30).toContain('(9:30 left)')
    expect(at599).toContain('(0:01 left)')
    expect(textOf(viewOfBlocks(approvalMessage('asking').blocks, context(at(601))))).toContain('(over)')
  })

  test('links to the console stay in it, and its own button is left out', () => {
    const { blocks } = renderBlocks(
      incidentCard(incidentsInEveryState()['awaiting-approval'] ?? never(), { now: at(1), consoleUrl: ORIGIN }),
    )
    const trees = viewOfBlocks(blocks, context(at(1)))
    const links = elementsOf(trees).filter(({ tag }) => tag === 'a')
    expect(links.length).toBeGreaterThan(4)
    for (const { attrs } of links) expect(attrs['href']).toMatch(/^#\/incidents\/INC-42\/E\d$/)
    expect(textOf(trees)).not.toContain('Open in the console')
  })

  test('a link elsewhere opens beside the console and learns nothing of it; anything but http is text', () => {
    expect(link('https://grafana.example/d/1', 'source', { origin: ORIGIN })).toMatchObject({
      attrs: { target: '_blank', rel: 'noopener noreferrer' },
    })
    expect(link('javascript:alert(1)', 'source', { origin: ORIGIN })).toBe('source')
    expect(link('//evil.example', 'source', { origin: ORIGIN })).toBe('source')
  })

  test('a block that is not known is said', () => {
    expect(textOf(viewOfBlocks([{ type: 'video' }], context(at(0))))).toBe('(a block of the kind video cannot be shown here)')
  })
})

describe('mrkdwn', () => {
  test('our own forms are read', () => {
    expect(parseMrkdwn('*Action* `a*b` &lt;x&gt; <https://a.example/?a=1&amp;b=2|E1> end')).toEqual([
      { type: 'bold', text: 'Action' },
      { type: 'text', text: ' ' },
      { type: 'code', text: 'a*b' },
      { type: 'text', text: ' <x> ' },
      { type: 'link', url: 'https://a.example/?a=1&b=2', text: 'E1' },
      { type: 'text', text: ' end' },
    ])
  })

  test('text from outside is one piece of text, as it was written', () => {
    fc.assert(
      fc.property(hostileText(400), (text) => {
        const parts = parseMrkdwn(escapeMrkdwn(text))
        expect(parts.every(({ type }) => type === 'text')).toBe(true)
        const inCode = parseMrkdwn(`\`${escapeCode(text)}\``)
        expect(inCode.map(({ type }) => type)).toEqual(['code'])
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the digest that is sent', () => {
  const approval = anApproval()
  const card = { kind: 'approval', ref: approval.id, blocks: approvalMessage('asking').blocks }
  const state = (cards: object[], digest: string | undefined) => ({
    incident: { data: { cards }, approvals: new Map(digest === undefined ? [] : [[approval.id, { digest }]]) },
  })

  test('is the one of the plan on the card', () => {
    expect(digestOnCard(card.blocks)).toBe(approval.digest.slice(0, 12))
    expect(shownDigest(state([card], approval.digest), approval.id)).toBe(approval.digest)
  })

  test.each<[string, ReturnType<typeof state>]>([
    ['the card shows another', state([card], 'f'.repeat(64))],
    ['the card shows none', state([{ ...card, blocks: [] }], approval.digest)],
    ['there is no card', state([], approval.digest)],
    ['nothing is known of the request', state([card], undefined)],
  ])('is none when %s', (_why, given) => expect(shownDigest(given, approval.id)).toBeNull())
})

describe('addresses and times', () => {
  test.each([
    ['', { page: 'home', id: '', focus: '' }],
    ['#/', { page: 'home', id: '', focus: '' }],
    ['#/audit', { page: 'audit', id: '', focus: '' }],
    ['#/incidents/INC-1', { page: 'incident', id: 'INC-1', focus: '' }],
    ['#/incidents/a%2Fb/E3', { page: 'incident', id: 'a/b', focus: 'E3' }],
    ['#/incidents/%E0%A4%A', { page: 'incident', id: '%E0%A4%A', focus: '' }],
    ['#/nowhere', { page: 'home', id: '', focus: '' }],
  ])('%s', (hash, route) => expect(parseRoute(hash)).toEqual(route))

  test('an address leads back to what it was made from', () => {
    expect(parseRoute(incidentHash('a/b?c', 'E1'))).toEqual({ page: 'incident', id: 'a/b?c', focus: 'E1' })
  })

  test('counting down', () => {
    expect([3_725, 65, 1, 0, -9].map((seconds) => countdown(at(seconds), at(0)))).toEqual([
      '1:02:05 left',
      '1:05 left',
      '0:01 left',
      'over',
      'over',
    ])
  })

  test('ages', () => {
    expect([5, 185, 7_300, 200_000].map((seconds) => age(at(0), at(seconds)))).toEqual(['just now', '3 min', '2 h', '2 d'])
  })

  test('the colour of a card follows how it ended', () => {
    const tone = (state: string, outcome: string | null): string => approvalTone({ state, execution: { outcome } })
    expect([
      tone('pending', null),
      tone('executing', null),
      tone('done', 'verified'),
      tone('done', 'failed'),
      tone('done', 'undone'),
      tone('denied', null),
    ]).toEqual(['ask', 'busy', 'good', 'bad', 'ask', 'calm'])
  })
})

/** Each piece of text in the blocks that the console shows as it is. */
function plainTexts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(plainTexts)
  if (typeof value !== 'object' || value === null) return []
  const { type, text } = value as { type?: unknown; text?: unknown }
  if (type === 'mrkdwn' && typeof text === 'string') return text.split('\n').flatMap((line) => parseMrkdwn(line).map((part) => part.text))
  if (typeof text === 'string') return [text]
  return Object.values(value).flatMap(plainTexts)
}

function never(): never {
  throw new Error('no such sample')
}
