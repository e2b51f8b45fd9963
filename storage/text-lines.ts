/** A text that has not the lines it should have; the message says how, to follow "it is damaged: ". */
export class LinesBroken extends Error {
  override readonly name = 'LinesBroken'
}

/** The lines of a stream of bytes, each without its newline and at most `maxBytes` long. @throws LinesBroken, also when the last has no newline */
export async function* readLines(content: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of content) {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString('utf8')
      parts = []
      size = 0
      from = end + 1
    }
    parts.push(chunk.subarray(from))
    size += chunk.length - from
    if (size > maxBytes) throw new LinesBroken(`a line of it is longer than ${maxBytes} bytes`)
  }
  if (size > 0) throw new LinesBroken('its last line is cut off')
}

/** What a line says as JSON; null when it is none. */
export function jsonOrNull(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
