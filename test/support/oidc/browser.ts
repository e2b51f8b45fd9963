/** One answer, with the addresses that led to it. */
export interface Page {
  url: string
  status: number
  headers: Headers
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever came and compare it
  json: any
  /** Every address that was opened, in order. */
  trail: string[]
}

const MOST_REDIRECTS = 12

/** A small browser: keeps the cookies of each origin, follows redirects, says which page a request comes from. */
export class Browser {
  readonly jars = new Map<string, Map<string, string>>()
  /** Stops before an address that begins with this; the page then has the status of the redirect. */
  stopAt: string | null = null
  /** Whether every other origin is another site, from which no cookie goes along that is strict. */
  strict = false
  readonly #strictNames = new Set<string>()

  async open(url: string): Promise<Page> {
    return await this.send(url, { headers: { accept: 'text/html' } })
  }

  async get(url: string): Promise<Page> {
    return await this.send(url, { headers: { accept: 'application/json' } })
  }

  async post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Page> {
    const sent = { 'content-type': 'application/json', origin: new URL(url).origin, ...headers }
    return await this.send(url, { method: 'POST', headers: sent, body: JSON.stringify(body) })
  }

  /** As a form of a page of the same origin is sent. */
  async submit(url: string, fields: Record<string, string>): Promise<Page> {
    return await this.send(url, { method: 'POST', headers: { origin: new URL(url).origin }, body: new URLSearchParams(fields) })
  }

  cookie(url: string, name: string): string | undefined {
    return this.jars.get(new URL(url).origin)?.get(name)
  }

  async send(url: string, options: RequestInit): Promise<Page> {
    const trail: string[] = []
    const accept = new Headers(options.headers).get('accept') ?? 'text/html'
    let [next, asked] = [url, options]
    for (;;) {
      trail.push(next)
      const page = await this.#once(next, asked, trail)
      const location = page.headers.get('location')
      if (location === null || trail.length > MOST_REDIRECTS) return page
      next = new URL(location, next).href
      if (this.stopAt !== null && next.startsWith(this.stopAt)) return { ...page, url: next }
      asked = { headers: { accept } }
    }
  }

  async #once(url: string, options: RequestInit, trail: string[]): Promise<Page> {
    const { origin } = new URL(url)
    const jar = this.jars.get(origin) ?? new Map<string, string>()
    this.jars.set(origin, jar)
    const headers = new Headers(options.headers)
    const comesFromElsewhere = this.strict && trail.some((before) => new URL(before).origin !== origin)
    const sent = [...jar].filter(([name]) => !(comesFromElsewhere && this.#strictNames.has(name)))
    if (sent.length > 0) headers.set('cookie', sent.map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(url, { ...options, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
      if (/samesite=strict/i.test(line)) this.#strictNames.add(name)
    }
    const text = await response.text()
    return { url, status: response.status, headers: response.headers, text, json: asJson(text), trail }
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
