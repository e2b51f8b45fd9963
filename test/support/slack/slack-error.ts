/** A call that Slack answers with `ok: false`. */
export class SlackError extends Error {
  readonly code: string
  /** What else the answer holds, such as `needed` or `response_metadata`. */
  readonly extra: Readonly<Record<string, unknown>>

  constructor(code: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(code)
    this.name = 'SlackError'
    this.code = code
    this.extra = extra
  }
}

/** Refused for its shape, with Slack's own lines of what is wrong and where. */
export function shapeError(code: string, problems: readonly string[]): SlackError {
  const messages = problems.map((problem) => `[ERROR] ${problem}`)
  return new SlackError(code, { ...(code === 'invalid_blocks' ? { errors: problems } : {}), response_metadata: { messages } })
}
