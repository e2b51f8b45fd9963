/** Metadata, keys and tokens are small. */
const MOST_BYTES = 512 * 1024
export const TIMEOUT_SECONDS = 5

/** The provider did not answer, or said that it cannot at the moment. */
export class ProviderAway extends Error {
  override readonly name = 'ProviderAway'
}

/** The provider's answer is not one: too large, or from where it must not come. */
export class ProviderUnfit extends Error {
  override readonly name = 'ProviderUnfit'
}

interface Asked {
  method: string
  headers: Headers | Record<string, string>
  body?: RequestInit['body'] | undefined
  signal?: AbortSignal | undefined
}

/**
 * How the provider is spoken to: one try, bounded in time and size, no redirect followed. A provider on this machine by http may name only this
 * machine; any other is spoken to by https.
 */
export function boundedFetch(loopbackOnly: (host: string) => boolean): (url: string, asked: Asked) => Promise<Response> {
  return async (url, { method, headers, body = null, signal }) => {
    const { protocol, hostname } = new URL(url)
    if (protocol !== 'https:' && !(protocol === 'http:' && loopbackOnly(hostname)))
      throw new ProviderUnfit(`${protocol}//${hostname} is no https`)
    const late = AbortSignal.timeout(TIMEOUT_SECONDS * 1_000)
    try {
      const response = await fetch(url, {
        method,
        headers,
        body,
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, late]) : late,
      })
      if (response.status >= 500 || response.status === 429) throw new ProviderAway(`It answered ${response.status}`)
      return new Response(await readBounded(response), { status: response.status, headers: response.headers })
    } catch (cause) {
      if (cause instanceof ProviderAway || cause instanceof ProviderUnfit) throw cause
      throw new ProviderAway(late.aborted ? `It did not answer within ${TIMEOUT_SECONDS} s` : 'It cannot be reached', { cause })
    }
  }
}

/** Null where an answer has no body, because a Response of such a status may have none. */
async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null || response.status === 204 || response.status === 304) return null
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > MOST_BYTES) throw new ProviderUnfit(`Its answer is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks, size))
}
