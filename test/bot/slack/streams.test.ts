import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { ANSWER } from '../../../agent/investigation/model-prompts.ts'
import { anEvidenceItem } from '../../support/builders.ts'
import { describeDatabases } from '../../support/database.ts'
import type { RunningEdge } from '../../support/edge/edge-harness.ts'
import { openScene, type SlackScene, wordsOf } from '../../support/edge/slack-edge.ts'
import { claudeOf } from '../../support/model/claude.ts'
import { startScriptedModel } from '../../support/model/scripted-model.ts'
import type { SlackMessage } from '../../support/slack/world.ts'

/** Every answer is slow at once. */
const SLOW = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 0 } }
const LONG = { timeout: 25_000 }

/** What `status` is made of comes only once this says so. */
function holdUp({ agent }: RunningEdge, until: () => Promise<void>): void {
  // Without workspaces everybody is answered by this one.
  const everybodys = agent.seenBy({ kind: 'nobody' }, null)
  const read = everybodys.mode
  everybodys.mode = async () => {
    await until()
    return await read()
  }
}

/** Somebody asked, and what is being looked for is announced. */
async function asking(scene: SlackScene): Promise<{ announced: SlackMessage; question: SlackMessage; goOn: () => void }> {
  const gate = Promise.withResolvers<void>()
  holdUp(scene.running, async () => await gate.promise)
  const question = await scene.bob.mention(scene.channel, 'status')
  return { announced: await scene.message('Looking at what is stored'), question, goOn: gate.resolve }
}

const callsOf = ({ slack }: SlackScene, name: string): string[] =>
  slack.calls.filter(({ method }) => method === name).map(({ outcome }) => outcome)
const replies = ({ slack, channel }: SlackScene, { ts }: SlackMessage): SlackMessage[] =>
  slack.posted(channel).filter(({ threadTs }) => threadTs === ts)

describeDatabases('answers that Slack shows as they come about', (store) => {
  const database = store.perTest()
  const settled = async (): Promise<void> => {
    const left = async (): Promise<number> =>
      (await sql`select from posting where wanted > shown and dead_at is null`.execute(database().db)).rows.length
    await expect.poll(left, LONG).toBe(0)
  }

  test('begin with what is looked at, and end as the answer, which is found by its name from then on', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question, goOn } = await asking(scene)
    expect(announced).toMatchObject({ stream: { open: true }, threadTs: question.ts, metadata: null })
    expect(announced.blocks).toMatchObject([{ type: 'plan', tasks: [{ title: 'Look at what is stored', status: 'in_progress' }] }])
    goOn()
    await scene.says(announced, 'No open incidents')
    expect(announced).toMatchObject({ stream: { open: false }, edits: 0, metadata: { event_type: 'steadyhand_posting' } })
    expect(announced.blocks[0]).toMatchObject({ type: 'plan', title: 'What was looked at', tasks: [{ status: 'complete' }] })
    await settled()
    expect(replies(scene, question)).toEqual([announced])
    expect(callsOf(scene, 'chat.update')).toEqual([])
    expect(scene.slack.renderChannel(scene.channel, { viewer: scene.bob })).toContain('● Look at what is stored')
    expect(scene.slack.violations).toEqual([])
  })

  test('stand below the question in a direct message, and what is too long for one is below it in full', async () => {
    const scene = await openScene(database(), SLOW)
    const { slack, running, bob } = scene
    const to = new Date(Date.now() + 3_600_000)
    const reasons = Array.from({ length: 15 }, (_, index) => `reason ${index}: ${'a long one '.repeat(20)}`.trim())
    for (const reason of reasons) await running.stores.control.freeze({ scope: '*', from: new Date(), to, reason, by: 'carol' })
    const gate = Promise.withResolvers<void>()
    holdUp(running, async () => await gate.promise)
    const question = await bob.dm('status')
    const direct = slack.directMessages(bob)
    const said = (): SlackMessage[] => slack.posted(direct)
    await expect.poll(() => said().length, LONG).toBe(1)
    const [announced] = said()
    expect(announced).toMatchObject({ stream: { open: true }, threadTs: question.ts })
    gate.resolve()
    if (announced) await scene.says(announced, 'Shortened to fit here')
    await settled()
    expect(announced).toMatchObject({ stream: { open: false }, edits: 0 })
    const [, file, ...more] = said()
    expect([file?.threadTs, more]).toEqual([question.ts, []])
    for (const reason of reasons) expect(file?.files[0]?.content.toString()).toContain(reason)
    expect(slack.violations).toEqual([])
  })

  test('say what a model asks of the sources, in our words, whatever it calls them', async () => {
    const server = await startScriptedModel((_request, turn) =>
      turn === 1
        ? {
            calls: [
              { name: 'read_metrics', input: { service: 'payments' } },
              { name: 'shell:<!channel>', input: {} },
            ],
          }
        : {
            calls: [
              {
                name: ANSWER,
                input: { statements: [{ text: 'Errors of payments. <!here> https://evil.example', cites: ['E1'] }], unknown: [] },
              },
            ],
          },
    )
    onTestFinished(async () => await server.close())
    const model = claudeOf(server)
    const scene = await openScene(database(), { ...SLOW, models: [model] })
    await scene.running.askSomething()
    const item = anEvidenceItem('E1', { summary: 'Errors of payments.', query: 'errors', content: { service: 'payments' } })
    await scene.running.stores.incidents.addEvidence('inc-1', [item])
    const card = await scene.message('Sev ')
    await scene.alice.mention(scene.channel, 'what is wrong with payments?', card)
    const answer = await scene.message('A model answers')
    const said = JSON.stringify([...replies(scene, card), scene.slack.calls.filter(({ method }) => /Stream$/.test(method))])
    expect(said).not.toMatch(/evil|<!|shell/)
    const ours = ['Looking at what is stored …', 'What was looked at', 'Look at what is stored', 'Read metrics', 'Look something up']
    const titles = scene.slack.calls.flatMap(({ args }) => String(args['chunks'] ?? '').match(/(?<="title":")[^"]+/g) ?? [])
    expect(titles.filter((title) => !ours.includes(title))).toEqual([])
    expect(answer.stream?.open).not.toBe(true)
    expect(scene.slack.violations).toEqual([])
  })

  test.each([
    ['knows none', { kind: 'error', error: 'unknown_method' }],
    ['allows none', { kind: 'error', error: 'access_denied' }],
    ['allows no more of them', { kind: 'ratelimited', retryAfter: 600 }],
  ] as const)('are edited in place where Slack %s, which is asked once', async (_why, fault) => {
    const scene = await openScene(database(), SLOW)
    scene.slack.faults.next('chat.startStream', fault, 100)
    const { announced, question, goOn } = await asking(scene)
    expect(announced).toMatchObject({ stream: null, threadTs: question.ts })
    goOn()
    await scene.says(announced, 'No open incidents')
    const more = await scene.bob.mention(scene.channel, 'incidents')
    await expect.poll(() => replies(scene, more).length, LONG).toBe(1)
    await settled()
    expect([replies(scene, question).length, replies(scene, more).length]).toEqual([1, 1])
    expect(callsOf(scene, 'chat.startStream')).toHaveLength(1)
    expect(scene.running.lines.filter(({ message }) => message.includes('takes no stream'))).toHaveLength(1)
    expect(scene.slack.violations).toEqual([])
  })

  test('are written into the same message when Slack ended the stream meanwhile', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question, goOn } = await asking(scene)
    announced.stream = { display: 'plan', open: false }
    goOn()
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(replies(scene, question)).toEqual([announced])
    expect(callsOf(scene, 'chat.stopStream')).toEqual(['message_not_in_streaming_state'])
    expect(scene.slack.violations).toEqual([])
  })

  test('wait for the end of a stream that Slack takes later, and hold up nothing else', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question, goOn } = await asking(scene)
    scene.slack.faults.next('chat.stopStream', { kind: 'ratelimited', retryAfter: 1 })
    goOn()
    await expect.poll(() => callsOf(scene, 'chat.stopStream'), LONG).toHaveLength(1)
    await scene.running.askSomething()
    await scene.message('Sev ')
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(callsOf(scene, 'chat.stopStream')).toEqual(['ratelimited', 'ok'])
    expect(replies(scene, question)).toEqual([announced])
    expect(scene.slack.violations).toEqual([])
  })

  test('wait as long as Slack says, however many steps are reported meanwhile; everything else is shown', async () => {
    const scene = await openScene(database(), SLOW)
    const { stores } = scene.running
    const { announced, goOn } = await asking(scene)
    const row = async () =>
      (
        await sql<{ ref: string; body: { live: { steps: object[] } }; attempts: number; wait: number; waits: boolean }>`
        select ref, body, attempts, extract(epoch from not_before - clk())::float8 as wait, wanted > shown as waits from posting where kind = 'answer'`.execute(
          database().db,
        )
      ).rows[0]
    await expect.poll(async () => (await row())?.waits, LONG).toBe(false)
    const { ref = '', body } = (await row()) ?? {}
    const report = async (id: string): Promise<void> => {
      const steps = [...(body?.live.steps ?? []), { id, title: 'Read logs', status: 'in_progress' }]
      await stores.postings.finish('slack', { kind: 'answer', ref, body: { ...body, live: { ...body?.live, steps } } })
    }
    scene.slack.faults.next('chat.appendStream', { kind: 'ratelimited', retryAfter: 3_600 })
    await report('asked-1')
    await expect.poll(async () => (await row())?.attempts, LONG).toBe(1)
    await report('asked-2')
    goOn()
    await scene.running.askSomething()
    await scene.message('Sev ')
    expect((await row())?.wait).toBeGreaterThan(3_000)
    expect(callsOf(scene, 'chat.appendStream')).toEqual(['ratelimited'])
    expect(scene.running.lines.filter(({ message }) => message.includes('takes no more of an answer'))).toHaveLength(1)
    // Slack takes it again.
    await sql`update posting set not_before = clk() where kind = 'answer'`.execute(database().db)
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(scene.slack.violations).toEqual([])
  })

  test.each(['chat.startStream', 'chat.stopStream'])('stand there once when Slack’s answer to %s is lost', async (method) => {
    const scene = await openScene(database(), SLOW)
    scene.slack.faults.next(method, { kind: 'lost' })
    const { announced, question, goOn } = await asking(scene)
    await expect
      .poll(async () => (await scene.running.stores.postings.at('slack', scene.channel.id, announced.ts)) !== null, LONG)
      .toBe(true)
    goOn()
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(replies(scene, question)).toEqual([announced])
    expect(announced.stream?.open).toBe(false)
    expect(wordsOf(announced)).not.toContain('Looking')
    expect(scene.slack.violations).toEqual([])
  })

  test('are finished by the next process when the one that began them died, in the same message', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question } = await asking(scene)
    expect(announced.stream?.open).toBe(true)
    await scene.restartIn(scene.channel)
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(announced.stream?.open).toBe(false)
    expect(replies(scene, question)).toEqual([announced])
    expect(scene.slack.violations).toEqual([])
  })

  /** The message stands there, and nobody has written that down: whoever posted it died, or is about to. */
  const unwritten = async (scene: SlackScene, announced: SlackMessage): Promise<void> => {
    const isWritten = async () => (await scene.running.stores.postings.at('slack', scene.channel.id, announced.ts)) !== null
    await expect.poll(isWritten, LONG).toBe(true)
    await sql`update posting set message = null, shown_at = null, shown = 0, head = null, print = null, claimed_until = clk() + interval '1 hour'
      where kind = 'answer'`.execute(database().db)
  }

  test('are found again by the next process also where Slack ended the stream, without a name, before it was written down', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question } = await asking(scene)
    await unwritten(scene, announced)
    announced.stream = { display: 'plan', open: false }
    await scene.restartIn(scene.channel)
    // The claim of the one that died lapses; where several may run, nobody takes it away before.
    await sql`update posting set claimed_until = clk() where kind = 'answer'`.execute(database().db)
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(wordsOf(announced)).not.toContain('Looking')
    expect(replies(scene, question)).toEqual([announced])
    expect(scene.slack.violations).toEqual([])
  })

  test('are taken from no other process that is about to write down where they stand', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question, goOn } = await asking(scene)
    await unwritten(scene, announced)
    const said = JSON.stringify({ text: 'Another answer', blocks: [{ type: 'divider' }], broadcast: false })
    await sql`insert into posting (surface, kind, ref, priority, place, thread, body, nonce, begun_at)
      values ('slack', 'answer', 'another', 2, ${scene.channel.id}, ${question.ts}, ${said}::jsonb, ${'n'.repeat(24)}, clk())`.execute(
      database().db,
    )
    await expect.poll(() => callsOf(scene, 'conversations.replies').length, LONG).toBeGreaterThan(1)
    await sql`update posting set message = ${announced.ts}, shown_at = clk(), shown = wanted, claimed_until = null
      where kind = 'answer' and ref <> 'another'`.execute(database().db)
    const another = await scene.message('Another answer')
    goOn()
    await scene.says(announced, 'No open incidents')
    await settled()
    expect(replies(scene, question)).toEqual([announced, another])
    expect(scene.slack.violations).toEqual([])
  })

  test('are posted anew when somebody deleted what was announced', async () => {
    const scene = await openScene(database(), SLOW)
    const { announced, question, goOn } = await asking(scene)
    announced.deleted = true
    goOn()
    const answer = await scene.message('No open incidents')
    await settled()
    expect(replies(scene, question)).toEqual([answer])
    expect(scene.slack.violations).toEqual([])
  })
})
