/** One answer, as far as tests look at it. */
export interface Answer {
  status: number
  headers: Headers
  text: string
  /** Null when the body is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever came and compare it
  json: any
}

/** A small browser: keeps its cookie, sends what it is told to. */
export class Client {
  readonly url: string
  cookie: string | null = null
  constructor(url: string) {
    this.url = url
  }

  async request(
    method: string,
    path: string,
    options: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { ...(this.cookie ? { cookie: this.cookie } : {}), ...options.headers },
      ...(options.body === undefined ? {} : { body: options.body }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: asJson(text) }
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.request('GET', path, { headers })
  }

  async post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body)
    const sent = text === undefined ? { headers } : { body: text, headers: { 'content-type': 'application/json', ...headers } }
    return await this.request('POST', path, sent)
  }

  async delete(path: string): Promise<Answer> {
    return await this.request('DELETE', path)
  }

  async signIn(person: string): Promise<Answer> {
    const answer = await this.post('/api/v1/session', { person })
    if (answer.status !== 200) throw new Error(`${person} could not sign in: ${answer.status} ${answer.text}`)
    this.cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? null
    return answer
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
