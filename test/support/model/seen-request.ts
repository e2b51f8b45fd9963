/** A request of either protocol in one form. */
export interface SeenRequest {
  protocol: 'anthropic' | 'openai'
  model: string
  system: string
  /** In order; results carry the name of the call they answer. */
  messages: SeenMessage[]
  tools: string[]
  maxOutputTokens: number
  /** Whether the provider may keep it; undefined where the protocol has no such word. */
  store: boolean | undefined
  key: string
  /** The body as it came. */
  body: string
}

export type SeenMessage =
  | { role: 'user'; text: string }
  | { role: 'model'; text: string; calls: { id: string; name: string; input: unknown }[] }
  | { role: 'results'; results: { call: string; name: string; text: string }[] }

/** What a model says in one turn. */
export interface Reply {
  text?: string
  calls?: readonly { name: string; input: unknown }[]
  /** Ends because of its length, or refuses. */
  end?: 'length' | 'refused'
  /** Counted from the length of what was sent and said when it is not given. */
  usage?: { input: number; output: number }
}

/** What a server does that gives no proper answer. */
export type Trouble =
  | { trouble: 'status'; status: number; retryAfter?: number }
  /** Accepts, sends the beginning, and nothing more. */
  | { trouble: 'silent' }
  /** Closes in the middle of the answer. */
  | { trouble: 'cut' }
  /** Bytes that are no events. */
  | { trouble: 'garbage' }
  /** An error that comes in the stream, after the status said 200. */
  | { trouble: 'fails-in-stream' }
  /** Text without end. */
  | { trouble: 'endless' }

export type Turn = Reply | Trouble

/** All words that a model can read in a request. */
export function wordsOf({ system, messages }: SeenRequest): string {
  const said = messages.flatMap((message) => {
    if (message.role === 'results') return message.results.map(({ text }) => text)
    return [message.text, ...(message.role === 'model' ? message.calls.map(({ input }) => JSON.stringify(input)) : [])]
  })
  return [system, ...said].join('\n')
}

/** As a rule of thumb four characters are a token. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4)
}
