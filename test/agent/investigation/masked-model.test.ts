import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PERSONAL_KINDS, type PersonalKind, replacePersonal, USUALLY_MASKED } from '../../../agent/domain/personal-data.ts'
import { maskedModel } from '../../../agent/investigation/masked-model.ts'
import type { ModelEvent, ModelPort, ModelRequest } from '../../../integrations/ports/model.ts'

const EMAIL = 'ada.lovelace+oncall@mail.example.com'
const CARD = '4111 1111 1111 1111'
const IBAN = 'DE89 3704 0044 0532 0130 00'
const PHONE = '+44 (20) 7946 0123'
const END: ModelEvent = { type: 'end', reason: 'done', usage: { input: 1, output: 1 }, raw: null }

/** A model that is asked once, keeps what it was sent, and says what `say` makes of it, in these parts. */
function listening(say: (sent: ModelRequest) => ModelEvent[], masks = USUALLY_MASKED): { port: ModelPort; sent: ModelRequest[] } {
  const sent: ModelRequest[] = []
  const port: ModelPort = {
    ...{ provider: 'test', model: 'test', endpoint: 'http://127.0.0.1', price: null, tells: [], masks },
    async *ask(request) {
      sent.push(request)
      yield* say(request)
      yield END
    },
  }
  return { port, sent }
}

const requestOf = (text: string): ModelRequest => ({
  ...{ system: `about ${text}`, tools: [], maxOutputTokens: 100, signal: new AbortController().signal },
  messages: [
    { role: 'user', text },
    { role: 'model', text, calls: [{ id: '1', name: 'read_logs', input: { words: [text], deep: { text } } }], raw: null },
    { role: 'results', results: [{ call: '1', text, failed: false }] },
  ],
})

async function heard(port: ModelPort, text: string): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of port.ask(requestOf(text))) events.push(event)
  return events
}

const wordsOf = (events: readonly ModelEvent[]): string => events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')
const userTextOf = ({ messages: [first] }: ModelRequest): string => (first?.role === 'user' ? first.text : '')

describe('data of people', () => {
  test.each<[PersonalKind, string]>([
    ['email', EMAIL],
    ['email', 'a@b.co'],
    ['card', CARD],
    ['card', '5500000000000004'],
    ['iban', IBAN],
    ['iban', 'GB82WEST12345698765432'],
    ['phone', PHONE],
    ['phone', '+14155550123'],
    ['ip', '203.0.113.9'],
    ['ip', '2001:db8:0:0:1:0:0:1'],
  ])('%s %s is found in a line of a log, and nothing else of it', (kind, value) => {
    const found: string[] = []
    const text = `user ${value}: 17 retries at 2026-11-22T10:42:05.123Z, order 1763807325123, trace 4bf92f3577b34da6a3ce929d0e0e4736`
    replacePersonal(text, [kind], (_, each) => {
      found.push(each)
      return ''
    })
    expect(found).toEqual([value])
  })

  test.each([
    ['a number of a card that is none', '4111 1111 1111 1112'],
    ['an account that is none', 'GB83WEST12345698765432'],
    ['a time in nanoseconds', '1763807325123456789'],
    ['an image', 'shop/payments@sha256:4bf92f3577b34da6a3ce929d0e0e4736'],
    ['a number without a country', '020 7946 0123 and 4155550123'],
    ['a version', '10.4.300.7'],
  ])('%s is not', (_, text) => {
    expect(replacePersonal(text, PERSONAL_KINDS, () => '!')).toBe(text)
  })

  test('a text made to be slow to read is read', () => {
    for (const text of ['AA00'.repeat(20_000), 'A0'.repeat(40_000), `+1${'(1'.repeat(40_000)}`, 'a.'.repeat(40_000), '4 1-'.repeat(20_000)])
      expect(replacePersonal(text, PERSONAL_KINDS, () => '').length).toBeLessThanOrEqual(text.length)
  })
})

describe('a model that is not told of people', () => {
  const about = `${EMAIL} paid with ${CARD} to ${IBAN}; call ${PHONE}`

  test('reads masks wherever it reads, the same at every turn', async () => {
    const { port, sent } = listening(() => [])
    const masked = maskedModel(port)
    await heard(masked, about)
    await heard(masked, about)
    const all = sent.map((request) => JSON.stringify({ ...request, signal: null }))
    for (const value of [EMAIL, CARD, IBAN, PHONE, 'lovelace']) expect(all[0]).not.toContain(value)
    expect(all[0]).toMatch(/⟨email [0-9a-f]{10}⟩ paid with ⟨card [0-9a-f]{10}⟩ to ⟨iban [0-9a-f]{10}⟩; call ⟨phone [0-9a-f]{10}⟩/)
    expect(all[1]).toBe(all[0])
  })

  test('what it says of them is put back, in words and in calls', async () => {
    const { port } = listening((sent) => [
      { type: 'text', text: `It was ${userTextOf(sent)}` },
      { type: 'call', call: { id: '2', name: 'read_logs', input: { words: [userTextOf(sent)], limit: 5 } } },
    ])
    const events = await heard(maskedModel(port), about)
    expect(wordsOf(events)).toBe(`It was ${about}`)
    expect(events[1]).toMatchObject({ call: { input: { words: [about], limit: 5 } } })
    expect(events.at(-1)).toEqual(END)
  })

  test('a mask that it makes up, or that was another process’s, stands for nothing', async () => {
    const made = '⟨email 0123456789⟩ ⟨ and ⟨card'
    const { port } = listening(() => [{ type: 'text', text: made }])
    expect(wordsOf(await heard(maskedModel(port), about))).toBe(made)
  })

  test('however the answer is cut into parts, and whatever the text, it comes out as it was', async () => {
    const datum = fc.constantFrom(EMAIL, CARD, IBAN, PHONE, ' ⟨ ', '⟨email', '⟩')
    const text = fc.array(fc.oneof(datum, fc.string({ maxLength: 12 })), { maxLength: 12 }).map((parts) => parts.join(' '))
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), async (said, sizes) => {
        const { port } = listening((sent) => partsOf(userTextOf(sent), sizes).map((part) => ({ type: 'text', text: part })))
        expect(wordsOf(await heard(maskedModel(port), said))).toBe(said)
      }),
      { numRuns: 300 },
    )
  })

  test('where nothing is to be masked it is the model itself', () => {
    const { port } = listening(() => [], [])
    expect(maskedModel(port)).toBe(port)
  })
})

function partsOf(text: string, sizes: readonly number[]): string[] {
  const parts: string[] = []
  for (let from = 0, turn = 0; from < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    parts.push(text.slice(from, from + size))
    from += size
  }
  return parts
}
