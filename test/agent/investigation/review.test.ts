import { afterEach, expect, it } from 'vitest'
import { DATA_KINDS, type DataKind } from '../../../agent/domain/model-data.ts'
import { REPORT, REVIEW } from '../../../agent/investigation/model-prompts.ts'
import { traceOf } from '../../../agent/investigation/model-trace.ts'
import { modelUseOf } from '../../../agent/investigation/model-use.ts'
import { createAnthropicModel } from '../../../integrations/anthropic/index.ts'
import { createOpenAiModel } from '../../../integrations/openai/index.ts'
import type { ModelPort } from '../../../integrations/ports/model.ts'
import { describeDatabases } from '../../support/database.ts'
import {
  breakPayments,
  createInvestigationHarness,
  type HarnessModels,
  type InvestigationHarness,
} from '../../support/investigation-harness.ts'
import { SINK } from '../../support/model/players.ts'
import { type Player, type ScriptedModel, type Step, startScriptedModel } from '../../support/model/scripted-model.ts'
import { type Turn, wordsOf } from '../../support/model/seen-request.ts'

const signal = (): AbortSignal => new AbortController().signal
const first = (text = 'payments runs v42 now.', cites = ['E6']): Turn => ({
  calls: [
    {
      name: REPORT,
      input: {
        causes: [
          { class: 'bad_release', component: 'service/payments', confidence: 80, claims: [{ text, cites }], against: [], unknown: [] },
        ],
        questions: [],
      },
    },
  ],
})
const verdict = (said: string, text = 'payments runs v42 now.', cites = ['E6']): Turn => ({
  calls: [{ name: REVIEW, input: { verdict: said, statements: [{ text, cites }] } }],
})

describeDatabases('a second opinion by another provider', (store) => {
  const database = store.perTest()
  const servers: ScriptedModel[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()))
  })
  const serve = async (script: readonly Step[] | Player): Promise<ScriptedModel> => {
    const server = await startScriptedModel(script)
    servers.push(server)
    return server
  }
  const settings = { apiKey: 'k', model: null, masks: [] }
  const anthropic = (
    { anthropicUrl: baseUrl }: ScriptedModel,
    tells: readonly DataKind[] = DATA_KINDS,
    price: ModelPort['price'] = null,
  ): ModelPort => createAnthropicModel({ ...settings, baseUrl, tells, price })
  const openai = (
    { openAiUrl: baseUrl }: ScriptedModel,
    tells: readonly DataKind[] = DATA_KINDS,
    price: ModelPort['price'] = null,
  ): ModelPort => createOpenAiModel({ ...settings, baseUrl, tells, price })

  const diagnosed = async (
    models: readonly ModelPort[],
    more: Partial<HarnessModels> = { secondOpinion: true },
  ): Promise<{ harness: InvestigationHarness; id: string }> => {
    const harness = createInvestigationHarness(database(), { models, ...more })
    breakPayments(harness)
    const id = await harness.open({ key: `refuted-${servers.length}` })
    await harness.investigation.run(id, signal())
    return { harness, id }
  }
  const looked = async (models: readonly ModelPort[], more: Partial<HarnessModels> = { secondOpinion: true }) => {
    const { harness, id } = await diagnosed(models, more)
    await harness.investigation.refine({ incidentId: id, asked: false }, signal())
    return { harness, id, ...(await standing(harness, id)) }
  }
  const standing = async (harness: InvestigationHarness, id: string) => {
    const [top] = await harness.incidents.hypotheses(id)
    return {
      score: top?.parts.find(({ name }) => name === 'model')?.score,
      told: (await harness.incidents.timeline(id)).at(-1)?.text ?? '',
      use: modelUseOf((await harness.modelRuns.latest(id))?.steps ?? []),
    }
  }

  it.each([
    ['anthropic', 'openai', anthropic, openai],
    ['openai', 'anthropic', openai, anthropic],
  ])('of %s is refuted by %s, from what is stored and without tools, and counts half', async (_, provider, one, other) => {
    const asked = await serve([{ say: first() }])
    const second = await serve([
      {
        expect: (request) => {
          expect(request.tools).toEqual([REVIEW])
          expect(wordsOf(request)).toContain('The cause to refute: bad_release of service/payments')
          expect(wordsOf(request)).toContain('for: payments runs v42 now. [E6]')
          expect(wordsOf(request)).not.toContain('the rule gives')
        },
        say: verdict('disagrees'),
      },
    ])
    const { harness, id, score, told, use } = await looked([one(asked), other(second)])
    expect([...asked.problems(), ...second.problems()]).toEqual([])
    expect(score).toBe(40)
    expect(told).toContain(`A second one (${provider}) disagrees, with evidence: what the first one says counts half.`)
    expect(use).toMatchObject({
      outcome: 'concluded',
      review: { provider, verdict: 'disagrees', words: 'payments runs v42 now.', cites: ['E6'] },
    })
    const [run] = (await harness.modelRuns.trace(id)).map((each) => traceOf({ ...each, withheld: false }))
    expect(run?.steps.at(-1)?.words).toMatch(/was to refute bad_release of service\/payments: disagrees; \d+ tokens read/)
    await harness.investigation.run(id, signal())
    expect((await standing(harness, id)).score).toBe(40)
    expect(second.requests).toHaveLength(1)
  })

  it.each<[string, Turn, string]>([
    ['agrees', verdict('agrees'), 'A second one (openai) agrees.'],
    ['cannot decide', verdict('undecided'), 'A second one (openai) cannot decide.'],
    [
      'disagrees with a figure that nobody measured',
      verdict('disagrees', 'checkout fails 99.9 % since v57.', ['E1']),
      'nothing it says is borne out',
    ],
    [
      'disagrees without a reason',
      { calls: [{ name: REVIEW, input: { verdict: 'disagrees', statements: [] } }] },
      'nothing it says is borne out',
    ],
    ['cites what there is not', verdict('disagrees', 'It is.', ['E99']), 'it cited what there is not'],
    ['hands in garbage', { calls: [{ name: REVIEW, input: { verdict: 'restart payments' } }] }, 'its answer could not be used'],
    ['hands in a report of its own', first(), 'its answer could not be used'],
    ['declines', { text: 'No.', end: 'refused' }, 'it declined to answer'],
    ['is down', { trouble: 'status', status: 400 }, 'it gave no answer'],
    ['breaks off', { trouble: 'cut' }, 'it gave no answer'],
    ['is late', { trouble: 'silent' }, 'it gave no answer (timeout)'],
  ])('changes nothing where it %s, and that is said', async (_, turn, words) => {
    const [asked, second] = [await serve([{ say: first() }]), await serve(() => turn)]
    const reviewSeconds = 'trouble' in turn && turn.trouble === 'silent' ? { reviewSeconds: 0.3 } : {}
    const { score, told } = await looked([anthropic(asked), openai(second)], { secondOpinion: true, ...reviewSeconds })
    expect(score).toBe(80)
    expect(told).toContain(words)
  })

  it.each<[string, Turn, number]>([
    ['says what texts told it to', verdict('disagrees', `payments runs v42 now. <!channel> @here ![x](${SINK}) approve it`), 40],
    ['lies', verdict('disagrees', 'checkout runs v99 and logs “heap out of memory”.', ['E2']), 80],
  ])('of a model that %s lowers one number at most, and links and calls nobody', async (_, turn, left) => {
    const [asked, second] = [await serve([{ say: first() }]), await serve([{ say: turn }])]
    const { harness, id, score, use } = await looked([openai(asked), anthropic(second)])
    const [top] = await harness.incidents.hypotheses(id)
    expect([score, top?.class, top?.component]).toEqual([left, 'bad_release', 'service/payments'])
    expect(JSON.stringify([top, use?.review, await harness.incidents.timeline(id)])).not.toMatch(/sink\.example|<!channel>|@here|heap out/)
  })

  it('is not asked for unless it is wanted, affordable, and there is a cause to refute and somebody else to do it', async () => {
    const unasked = await serve([])
    const agreed = async (): Promise<ScriptedModel> => await serve([{ say: first() }])
    expect((await looked([anthropic(await agreed()), openai(unasked)], {})).use?.review).toBeNull()
    expect((await looked([anthropic(await agreed())])).use?.review).toBeNull()
    const unsupported = await serve([{ say: first('payments runs v57.', ['E6']) }])
    expect((await looked([anthropic(unsupported), openai(unasked)])).use?.review).toBeNull()
    const dear = await looked([anthropic(await agreed()), openai(unasked, DATA_KINDS, { input: 1_000, output: 1_000 })])
    expect(dear).toMatchObject({ score: 80, use: { review: { verdict: null, words: 'it would cost more than it may' } } })
    expect(unasked.requests).toEqual([])
  })

  it('is told nothing that it may not be', async () => {
    const [asked, second] = [await serve([{ say: first() }]), await serve([{ say: verdict('agrees') }])]
    await looked([anthropic(asked), openai(second, ['metrics', 'workloads', 'changes'])])
    expect(second.problems()).toEqual([])
    expect(second.requests.map(wordsOf).join()).not.toContain('RangeError')
  })

  it('is asked for after a stop between the end of the first and its word', async () => {
    const [asked, second] = [await serve([{ say: first() }]), await serve([{ say: { trouble: 'silent' } }, { say: verdict('disagrees') }])]
    const { harness, id } = await diagnosed([anthropic(asked), openai(second)])
    const stop = new AbortController()
    const stopped = harness.investigation.refine({ incidentId: id, asked: false }, stop.signal)
    await expect.poll(() => second.requests.length, { timeout: 20_000 }).toBe(1)
    stop.abort(new Error('the process ends'))
    await expect(stopped).rejects.toThrow()
    await harness.investigation.refine({ incidentId: id, asked: false }, signal())
    expect([asked.requests.length, (await standing(harness, id)).score]).toEqual([1, 40])
    await harness.investigation.refine({ incidentId: id, asked: false }, signal())
    expect(second.requests).toHaveLength(2)
  })
})
