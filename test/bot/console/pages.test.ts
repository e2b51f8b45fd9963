import { describe, expect, test } from 'vitest'
import { elementsOf, loadConsoleModules } from '../../support/console-modules.ts'

const { firstState, recordsView, seconds, servicesView, textOf, traceSection } = await loadConsoleModules()
const now = new Date('2026-03-01T12:00:00Z')
const refused = { title: 'The database cannot be reached.', detail: null, code: 'unavailable' }

describe('the page of services', () => {
  const service = (name: string, more: object = {}) => ({
    ...{ name, environment: 'local', version: 'v41', readyReplicas: 1, desiredReplicas: 1 },
    ...more,
  })
  const over = (items: object[], edges: object[] = [], incidents: object[] = []) =>
    servicesView({ ...firstState(), services: { data: { items, edges }, refused: null }, incidents: { data: incidents, refused: null } })

  test('says in words what the picture shows: who calls whom, what is ready, what is wrong', () => {
    const page = over(
      [service('checkout'), service('payments', { readyReplicas: 0 })],
      [{ from: 'checkout', to: 'payments' }],
      [{ id: 'inc-3', title: 'payments fails', service: 'payments', severity: 2 }],
    )
    expect(textOf(page)).toContain('v41 in local · 1 of 1 ready · calls payments')
    expect(textOf(page)).toContain('0 of 1 ready · called by checkout')
    expect(textOf(page)).toContain('inc-3: payments fails')
    const classes = elementsOf(page).map(({ attrs }) => attrs['class'])
    expect(classes.filter((name) => name === 'node bad' || name === 'row bad')).toHaveLength(2)
    expect(classes).toContain('node good')
    expect(elementsOf(page).find(({ tag }) => tag === 'svg')).toBeDefined()
    expect(elementsOf(page).find(({ attrs }) => attrs['class'] === 'graph')?.attrs['aria-hidden']).toBe('true')
  })

  test('an incident stands at every service it is about: named, alerted, or suspected', () => {
    const items = ['checkout', 'payments', 'storefront', 'bank'].map((name) => service(name))
    const incident = {
      ...{ id: 'inc-1', title: 'checkout fails', service: 'checkout', severity: 1 },
      alerts: [
        { service: 'storefront', status: 'firing' },
        { service: 'bank', status: 'resolved' },
      ],
      hypotheses: [{ rank: 1, component: 'service/payments' }],
    }
    const { alerts: _, hypotheses: __, ...summary } = incident
    const page = servicesView({
      ...firstState(),
      services: { data: { items, edges: [], incidents: [incident] }, refused: null },
      incidents: { data: [summary], refused: null },
    })
    const rows = elementsOf(page).filter(({ attrs }) => attrs['class']?.startsWith('row '))
    expect(rows.map((row) => [textOf([row]).includes('inc-1'), row.attrs['class']])).toEqual([
      [true, 'row bad'],
      [true, 'row bad'],
      [true, 'row bad'],
      [false, 'row good'],
    ])
  })

  test('too many for a picture are a list', () => {
    const page = over(Array.from({ length: 41 }, (_, index) => service(`service-${index}`)))
    expect(elementsOf(page).some(({ tag }) => tag === 'svg')).toBe(false)
    expect(textOf(page)).toContain('41 services are too many for one picture')
    expect(textOf(page)).toContain('service-40')
  })

  test('nothing yet, none, and not to be read are said in words', () => {
    expect(textOf(servicesView(firstState()))).toContain('Reading the services…')
    expect(textOf(over([]))).toContain('No service is known yet')
    expect(textOf(servicesView({ ...firstState(), services: { data: null, refused } }))).toContain(
      'The database cannot be reached. Try again',
    )
  })
})

describe('the page of records', () => {
  test('nothing yet, none, and not to be read are said in words', () => {
    expect(textOf(recordsView(firstState(), { now }))).toContain('Counting…')
    const unread = { ...firstState(), records: { days: 30, drills: false, data: null, refused } }
    expect(textOf(recordsView(unread, { now }))).toContain('The database cannot be reached. Try again')
  })

  test.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [60, '1 min'],
    [185, '3 min 5 s'],
    [3_600, '1 h'],
    [7_440, '2 h 4 min'],
  ])('%d seconds are %s', (value, words) => expect(seconds(value)).toBe(words))
})

describe('what a model did', () => {
  const hostile = '</pre><script>alert(1)</script> \u202egpj.exe <data label="E1">'
  const step = (seq: number, more: object = {}) => ({
    ...{ seq, at: now.toISOString(), kind: 'answered', words: `Step ${seq}.`, texts: [], evidence: [] },
    ...more,
  })
  const run = (more: object = {}) => ({
    number: 1,
    purpose: 'investigation',
    use: { outcome: 'concluded' },
    withheld: false,
    steps: [step(1)],
    ...more,
  })
  const shown = (trace: object, model: object | null = {}) =>
    traceSection({ id: 'inc-1', model }, { id: 'inc-1', data: null, refused: null, ...trace })

  test('is offered where a model was asked, read when somebody wants it, and said to be unreadable when it is', () => {
    expect(shown({}, null)).toBeNull()
    const offered = shown({ id: '' })
    expect(elementsOf(offered ? [offered] : []).find(({ tag }) => tag === 'a')?.attrs['href']).toBe('#/incidents/inc-1/trace')
    expect(textOf([shown({}) ?? ''])).toContain('Reading the steps…')
    expect(textOf([shown({ refused }) ?? ''])).toContain('The database cannot be reached. Try again')
  })

  test('stands step by step, with outside text as text, in regions that a keyboard reaches and a reader names', () => {
    const said = step(2, { texts: [{ name: 'What it said', text: hostile }], evidence: ['E3', 'E4'] })
    const view = [shown({ data: [run({ steps: [step(1), said] })] }) ?? '']
    expect(textOf(view)).toContain('Look 1: concluded, 2 steps')
    const [pre, ...more] = elementsOf(view).filter(({ tag }) => tag === 'pre')
    expect(more).toEqual([])
    expect(pre?.children).toEqual([hostile.replace('\u202e', '')])
    expect(pre?.attrs).toMatchObject({ role: 'region', tabindex: '0', 'aria-label': 'What it said, investigation 1, step 2' })
    expect(elementsOf(view).filter(({ tag }) => tag === 'script')).toEqual([])
    expect(elementsOf(view).flatMap(({ tag, attrs }) => (tag === 'a' ? [attrs['href']] : []))).toEqual([
      '#/incidents/inc-1/E3',
      '#/incidents/inc-1/E4',
    ])
  })

  test('says when what was said is left out', () => {
    expect(textOf([shown({ data: [run({ withheld: true })] }) ?? ''])).toContain('kinds of data that your workspace does not read')
  })
})
