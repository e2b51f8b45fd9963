import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { createPostings, type NewPosting, type Posting, type Postings } from '../../storage/postings.ts'
import { describeDatabases } from '../support/database.ts'

const INCIDENT = 'inc-1'
const LEASE_SECONDS = 60

const aPosting = (kind: string, place: string, ref = INCIDENT): NewPosting => ({ kind, ref, incidentId: INCIDENT, priority: 2, place })

describeDatabases('where postings stand', (store) => {
  const database = store.perTest()
  let postings: Postings
  beforeEach(async () => {
    postings = createPostings(database())
    await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
      values (${INCIDENT}, 1, 'errors', 'payments', 'local', 2, 'rule', clk())`.execute(database().db)
  })
  const claimed = async (): Promise<Posting> => {
    const found = await postings.claim('slack', LEASE_SECONDS)
    if (found === null) throw new Error('nothing is due')
    return found
  }
  /** Posts whatever is due first. */
  const post = async (message: string): Promise<Posting> => {
    const posting = await claimed()
    await postings.begin(posting.id)
    await postings.shown(posting.id, { message, wanted: posting.wanted, head: null, print: null })
    return posting
  }

  test('a card that was posted stays; one that was not goes where it is wanted now, unless it is a request', async () => {
    for (const kind of ['incident', 'approval']) for (const place of ['C1', 'C2']) await postings.draw('slack', aPosting(kind, place))
    expect(await post('1.1')).toMatchObject({ kind: 'incident', place: 'C2' })
    expect(await post('1.2')).toMatchObject({ kind: 'approval', place: 'C1' })
    await postings.draw('slack', aPosting('incident', 'C3'))
    expect(await claimed()).toMatchObject({ kind: 'incident', place: 'C2', message: '1.1' })
  })

  test('what is said of an incident goes where its card stands, but for a request, an answer and what has a thread of its own', async () => {
    await postings.draw('slack', aPosting('incident', 'C1'))
    await post('1.1')
    const said = { body: {}, thread: null }
    await postings.say('slack', { ...aPosting('notice', 'C2', 'a'), ...said })
    await postings.say('slack', { ...aPosting('answer', 'C3', 'b'), ...said, thread: '3.3' })
    await postings.say('slack', { ...aPosting('answer', 'C4', 'e'), ...said })
    await postings.say('slack', { ...aPosting('page', 'C2', 'c'), ...said, incidentId: null })
    await postings.draw('slack', aPosting('approval', 'C2', 'd'))
    const places: string[] = []
    for (const name of ['2.1', '2.2', '2.3', '2.4', '2.5']) {
      const { kind, place } = await post(name)
      places.push(`${kind} ${place}`)
    }
    expect(places.toSorted()).toEqual(['answer C3', 'answer C4', 'approval C2', 'notice C1', 'page C2'])
  })

  test('a thread is about the last card that stands in it, else about what stands at its top', async () => {
    await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
      values ('inc-2', 2, 'errors', 'payments', 'local', 2, 'rule', clk())`.execute(database().db)
    const asked = async (thread: string): Promise<string | null> => await postings.incidentIn('slack', 'C1', thread)
    await postings.draw('slack', aPosting('incident', 'C1'))
    await post('1.1')
    await postings.draw('slack', { ...aPosting('incident', 'C1', 'inc-2'), incidentId: 'inc-2' })
    const reply = await claimed()
    await postings.begin(reply.id, '1.1')
    expect(await asked('1.1')).toBe('inc-1')
    await postings.shown(reply.id, { message: '1.2', wanted: reply.wanted, head: null, print: null })
    expect([await asked('1.1'), await asked('1.2'), await asked('9.9')]).toEqual(['inc-2', 'inc-2', null])
    expect(await postings.incidentIn('slack', 'C2', '1.1')).toBeNull()
    await postings.move(reply.id, 'C2')
    expect(await claimed()).toMatchObject({ ref: 'inc-2', place: 'C2', thread: null })
    expect(await asked('1.1')).toBe('inc-1')
  })

  test('what was said as unfinished is finished once, in its place; what was said is never replaced', async () => {
    const said = { ...aPosting('answer', 'C1', 'a'), incidentId: null, thread: null }
    await postings.say('slack', { ...said, body: { text: 'looking', unfinished: true } })
    expect(await postings.say('slack', { ...said, body: { text: 'done' } })).toBe(false)
    await post('1.1')
    for (const text of ['done', 'done again']) await postings.finish('slack', { kind: 'answer', ref: 'a', body: { text } })
    expect(await claimed()).toMatchObject({ body: { text: 'done' }, message: '1.1', wanted: 2 })
    expect(await postings.claim('slack', LEASE_SECONDS)).toBeNull()
  })

  test('news ends a quiet pause, and never the wait for what went wrong', async () => {
    const said = { ...aPosting('answer', 'C1', 'a'), incidentId: null, thread: null }
    const news = async (): Promise<void> =>
      await postings.finish('slack', { kind: 'answer', ref: 'a', body: { text: 'b', unfinished: true } })
    const far = new Date(Date.now() + 3_600_000)
    await postings.say('slack', { ...said, body: { text: 'looking', unfinished: true } })
    const { id } = await post('1.1')
    await postings.later(id, far)
    await news()
    expect(await claimed()).toMatchObject({ id, attempts: 0 })
    await postings.later(id, far, 'Slack: ratelimited')
    for (const _ of [1, 2]) await news()
    expect(await postings.claim('slack', LEASE_SECONDS)).toBeNull()
    expect(await postings.oldest('slack')).toMatchObject({ waiting: 1 })
  })

  test('whoever holds another one of the same kind in the same place may be posting it', async () => {
    const held = async (one: object = {}) => await postings.isHeldBeside('slack', { id: 0, kind: 'answer', place: 'C1', ...one })
    await postings.say('slack', { ...aPosting('answer', 'C1', 'a'), incidentId: null, thread: null, body: {} })
    expect(await held()).toBe(false)
    const { id, wanted } = await claimed()
    expect(await Promise.all([held(), held({ id }), held({ kind: 'file' }), held({ place: 'C2' })])).toEqual([true, false, false, false])
    await postings.shown(id, { message: '1.1', wanted, head: null, print: null })
    expect(await held()).toBe(false)
  })

  test('a card that is moved is posted anew, before what belongs into its thread', async () => {
    await postings.draw('slack', aPosting('incident', 'C1'))
    const card = await post('1.1')
    await postings.say('slack', { ...aPosting('notice', 'C1', 'a'), body: {}, thread: null })
    await postings.move(card.id, 'C2')
    expect(await postings.at('slack', 'C1', '1.1')).toBeNull()
    expect(await post('2.1')).toMatchObject({ kind: 'incident', place: 'C2', message: null, begunAt: null })
    expect(await post('2.2')).toMatchObject({ kind: 'notice', place: 'C2' })
    expect(await postings.claim('slack', LEASE_SECONDS)).toBeNull()
  })
})
