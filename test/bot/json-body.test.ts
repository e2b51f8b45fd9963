import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_BODY_BYTES, parseJson, readBoundedBody } from '../../bot/json-body.ts'
import { HttpProblem } from '../../bot/problem.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function streamed(chunks: number, size: number, headers: Record<string, string> = {}): { request: Request; pulled: () => number } {
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === chunks) return controller.close()
      sent += 1
      controller.enqueue(new Uint8Array(size))
    },
  })
  return { request: new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit), pulled: () => sent }
}

describe('a body', () => {
  test('is read whole up to the limit', async () => {
    const { request } = streamed(4, MAX_BODY_BYTES / 4)
    expect((await readBoundedBody(request)).byteLength).toBe(MAX_BODY_BYTES)
  })

  test('one byte more is refused', async () => {
    const { request } = streamed(1, MAX_BODY_BYTES + 1)
    await expect(readBoundedBody(request)).rejects.toMatchObject({ code: 'body-too-large', headers: { connection: 'close' } })
  })

  test('a huge one is left alone as soon as it is too large', async () => {
    const { request, pulled } = streamed(10_000, 64 * 1024)
    await expect(readBoundedBody(request)).rejects.toMatchObject({ code: 'body-too-large' })
    expect(pulled()).toBeLessThan(10)
  })

  test('one that says it is huge is not read at all', async () => {
    const { request, pulled } = streamed(10_000, 1, { 'content-length': '10000000' })
    await expect(readBoundedBody(request)).rejects.toMatchObject({ code: 'body-too-large' })
    expect(pulled()).toBeLessThanOrEqual(1)
  })

  test('a sender that goes away in the middle is a problem of the request', async () => {
    const body = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) })
    const request = new Request('http://x/', { method: 'POST', body, duplex: 'half' } as RequestInit)
    await expect(readBoundedBody(request)).rejects.toMatchObject({ code: 'invalid-request' })
  })
})

describe('JSON', () => {
  test.each(['', ' ', '{', '{"a":1}}', 'nul', '{"a":1,}', '\ufeff{}x', "{'a':1}", '{"a":NaN}'])('%j is refused in words', (text) => {
    expect(() => parseJson(bytes(text))).toThrow(HttpProblem)
  })

  test('bytes that are no UTF-8 are refused', () => {
    expect(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]))).toThrow('It is not UTF-8.')
  })

  test.each([
    ['[', ']', 100_000],
    ['{"a":', '}', 40_000],
  ])('a bomb of %s is refused before it is built', (open, close, depth) => {
    expect(() => parseJson(bytes(`${open.repeat(depth)}1${close.repeat(depth)}`))).toThrow('nested more than 64')
  })

  test('brackets inside text are no depth', () => {
    expect(parseJson(bytes(JSON.stringify(['['.repeat(1_000), '\\"['])))).toEqual(['['.repeat(1_000), '\\"['])
  })

  test('a key that would change what an object is, is dropped', () => {
    const value = parseJson(bytes('{"__proto__":{"admin":true},"a":{"__proto__":1,"b":2}}')) as { a: object }
    expect(Object.keys(value)).toEqual(['a'])
    expect(Object.keys(value.a)).toEqual(['b'])
    expect(Reflect.get({}, 'admin')).toBeUndefined()
  })

  test('what is JSON, of a sane depth, arrives as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value)
        fc.pre(!text.includes('"__proto__"'))
        expect(parseJson(bytes(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('any bytes are JSON or a problem, never a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        try {
          parseJson(any)
        } catch (error) {
          expect(error).toBeInstanceOf(HttpProblem)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
