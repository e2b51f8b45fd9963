import { HttpProblem } from './problem.ts'

/** A request's body, at most. */
export const MAX_BODY_BYTES = 256 * 1024

/** Nested deeper than this is no message of any sender we know, and would overflow the stack of whatever walks it. */
const MAX_DEPTH = 64

/**
 * Reads a whole body, and stops as soon as it is too large: a sender's own statement about the length is believed only when it is "too much".
 * @throws HttpProblem body-too-large, or invalid-request when the sender went away in the middle
 */
export async function readBoundedBody(request: Request, limit: number = MAX_BODY_BYTES): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge()
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await nextChunk(reader)
    if (done) return Buffer.concat(chunks, size)
    size += value.byteLength
    if (size > limit) {
      await reader.cancel()
      throw tooLarge()
    }
    chunks.push(value)
  }
}

/**
 * JSON from outside, as plain data.
 * @throws HttpProblem invalid-json with what is wrong in words
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  if (depthOf(text) > MAX_DEPTH) throw new HttpProblem('invalid-json', `It is nested more than ${MAX_DEPTH} levels deep.`)
  try {
    return JSON.parse(text, dropPrototype)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new HttpProblem('invalid-json', text.trim() === '' ? 'The body is empty.' : null)
  }
}

/**
 * The fields of an HTML form from outside, each once.
 * @throws HttpProblem invalid-body when a field is there twice
 */
export function parseForm(bytes: Uint8Array): Record<string, string> {
  const fields = [...new URLSearchParams(new TextDecoder().decode(bytes))]
  if (new Set(fields.map(([name]) => name)).size < fields.length) throw new HttpProblem('invalid-body', 'A field is there twice.')
  return Object.fromEntries(fields)
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ done: true; value?: undefined } | { done: false; value: Uint8Array }> {
  try {
    const { done, value } = await reader.read()
    return done || value === undefined ? { done: true } : { done: false, value }
  } catch (cause) {
    const gone = new HttpProblem('invalid-request', 'The connection ended before the body did.')
    gone.cause = cause
    throw gone
  }
}

/** Connection: close, because the rest of the body would be read as the next request. */
function tooLarge(): HttpProblem {
  return new HttpProblem('body-too-large', null, { connection: 'close' })
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new HttpProblem('invalid-json', 'It is not UTF-8.')
  }
}

/** A key that would change what an object is, once somebody copies it. */
function dropPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value
}

/** How deep the brackets outside of strings nest; counted before anything is built. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index]
    if (inString) {
      if (char === '\\') index += 1
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth -= 1
  }
  return deepest
}
