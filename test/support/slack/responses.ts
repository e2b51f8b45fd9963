import type { MethodContext } from './method.ts'
import { respond, responseSchema } from './methods/chat.ts'
import { SlackError } from './slack-error.ts'
import type { Answer } from './web-api.ts'
import { newId, type SlackMessage, type World } from './world.ts'

/** Whom an answer to a command or a click is for, and which message it may replace. */
export interface Addressee {
  readonly user: string
  readonly channel: string | null
  readonly message: SlackMessage | null
}

export interface Responses {
  /** A fresh response_url. */
  readonly newUrl: (to: Addressee) => string
  /** What is answered to a POST there. */
  readonly respondTo: (id: string, body: unknown) => Answer
  /** Shows an answer that came another way. @returns what is wrong with it, or null */
  readonly answer: (to: Addressee, said: unknown, via: string) => string | null
}

const USES = 5
const LIVES_MS = 30 * 60_000
/** An answer needs no scope of its own. */
const SCOPES = new Set(['chat:write'])

export function createResponses(deps: {
  world: World
  contextOf: (scopes: ReadonlySet<string>, name: string) => MethodContext
  origin: () => string
}): Responses {
  const { world, contextOf, origin } = deps
  const answer: Responses['answer'] = (to, said, via) => {
    const parsed = responseSchema.safeParse(typeof said === 'string' ? { text: said } : said)
    const problem = parsed.success
      ? problemOf(() => respond({ ...to, channel: to.channel ?? '' }, parsed.data, contextOf(SCOPES, via)))
      : 'invalid_payload'
    if (problem !== null) world.violations.push({ method: via, problem })
    return problem
  }
  return {
    answer,
    newUrl: (to) => {
      const id = newId('R')
      world.responseUrls.set(id, { ...to, expires: world.now().getTime() + LIVES_MS, uses: 0 })
      return `${origin()}/response/${id}`
    },
    respondTo: (id, body) => {
      const known = world.responseUrls.get(id)
      if (known === undefined) return refused(404, 'invalid_response_url')
      if (known.uses >= USES || known.expires < world.now().getTime() || known.channel === null) return refused(404, 'used_url')
      known.uses += 1
      const problem = answer(known, body, 'response_url')
      return problem === null ? { status: 200, headers: {}, body: { ok: true } } : refused(400, problem)
    },
  }
}

function refused(status: number, error: string): Answer {
  return { status, headers: {}, body: { ok: false, error } }
}

function problemOf(act: () => unknown): string | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof SlackError) return `${error.code} ${JSON.stringify(error.extra)}`
    throw error
  }
}
