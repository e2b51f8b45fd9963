import { afterEach, expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import { ANSWER } from '../../../agent/investigation/model-prompts.ts'
import { anEvidenceItem } from '../../support/builders.ts'
import { describeDatabases } from '../../support/database.ts'
import { type EdgeOptions, openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'
import { claudeOf } from '../../support/model/claude.ts'
import { type Player, type ScriptedModel, startScriptedModel } from '../../support/model/scripted-model.ts'
import { type SeenRequest, wordsOf } from '../../support/model/seen-request.ts'

const LINE = 'RangeError in the ledger of payments'

describeDatabases('a question, where a model is configured', (store) => {
  const database = store.perTest()
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })

  const open = async (
    player: Player,
    options: EdgeOptions = {},
  ): Promise<{ running: RunningEdge; server: ScriptedModel; incident: string }> => {
    const server = await startScriptedModel(player)
    stops.push(async () => await server.close())
    const model = claudeOf(server)
    const running = await openEdge(database(), { models: [model], ...options })
    stops.push(async () => await running.close())
    await running.askSomething()
    const [found] = (await running.stores.incidents.list({ limit: 1 })).items
    const incident = found?.id ?? ''
    const item = anEvidenceItem('E1', { summary: 'Errors of payments.', query: 'errors', content: { service: 'payments', now: 0.615 } })
    await running.stores.incidents.addEvidence(incident, [
      item,
      { ...item, kind: 'logs', trust: 'log', summary: LINE, content: { line: LINE } },
    ])
    return { running, server, incident }
  }
  const says =
    (text: string, cites: string[] = ['E1']): Player =>
    () => ({ calls: [{ name: ANSWER, input: { statements: [{ text, cites }], unknown: ['who released it'] } }] })
  const ask = async (running: RunningEdge, who: string, text: string, incident: string | null = null) =>
    (await (await running.as(who)).post('/api/v1/commands', { text, incident })).json as { text: string; blocks: object[] }

  test('is answered by it, in the thread it is asked in, with what it cites, what it does not know, and what it used', async () => {
    const { running, server, incident } = await open(says('Errors of payments are at 61.5 %. <!channel> https://evil.example'))
    const { text, blocks } = await ask(running, 'bob', 'why does payments fail?', incident)
    expect(text).toContain('A model answers: Errors of payments are at 61.5 %. channel [address]')
    expect(text).toContain('Not known: who released it.')
    expect(text).toContain(
      'claude-test answered; the numbers, names and quotations above stand in the evidence they cite. 0 of 6 questions',
    )
    expect(JSON.stringify(blocks)).toContain(`/#/incidents/${incident}/E1`)
    expect(JSON.stringify(blocks)).not.toMatch(/evil|<!channel>/)
    expect(wordsOf(server.requests[0] as SeenRequest)).toContain('why does payments fail?')
    const trace = (await (await running.as('bob')).get(`/api/v1/incidents/${incident}/model-runs`)).json
    expect(trace.items).toMatchObject([{ purpose: 'question', number: 1, use: { outcome: 'concluded' } }])
    expect(server.problems()).toEqual([])
  })

  test('is answered by its words where the model fails, or says what nothing bears out, and that is said', async () => {
    const { running, incident } = await open(says('v99 leaks 99.9 % since 03:14:15 UTC.'))
    const { text } = await ask(running, 'bob', 'why does payments fail?', incident)
    expect(text).not.toContain('v99')
    expect(text).toContain(
      'A model was asked and gave no answer: nothing it said is borne out by the evidence. This was found by the words',
    )
  })

  test('about people, requests and rules, or a metric by its name, is read from rows: no model is asked', async () => {
    const { running, server, incident } = await open(says('Errors of payments are at 61.5 %.'))
    for (const question of [
      'who is on call?',
      'who may approve this?',
      'what waits for approval?',
      'is anything frozen?',
      'show p99 of payments',
    ])
      expect((await ask(running, 'bob', `ask ${question}`, incident)).text).toContain('This was found by the words of the question')
    expect(server.requests).toEqual([])
  })

  test('tells the model, and so the asker, only what the asker may read; whoever sees nothing asks about nothing', async () => {
    const team: Workspace = {
      ...{ name: 'pay', services: ['payments'], environments: null, people: ['bob'], keys: [], channels: [] },
      data: ['alerts', 'metrics'],
    }
    const other: Workspace = { ...team, name: 'all', people: ['alice'], data: DATA_KINDS }
    const none: Workspace = { ...team, name: 'none', services: ['elsewhere'], people: ['carol'] }
    const { running, server, incident } = await open(says('Errors of payments are at 61.5 %.'), { workspaces: [team, other, none] })
    expect((await ask(running, 'bob', 'why does payments fail?', incident)).text).toContain('A model answers')
    expect(server.requests[0]?.tools).toEqual(['read_metrics', 'open_evidence', ANSWER])
    expect(wordsOf(server.requests[0] as SeenRequest)).not.toContain('RangeError')
    expect((await ask(running, 'carol', 'why does payments fail?', incident)).text).toContain('There is no such incident')
    expect(server.requests).toHaveLength(1)
    // What stands in it was told to nobody who may not read it; it is read whole by whoever may read what the model was told.
    const trace = (await (await running.as('bob')).get(`/api/v1/incidents/${incident}/model-runs`)).json
    expect(trace.items).toMatchObject([{ purpose: 'question', withheld: false }])
  })
})
