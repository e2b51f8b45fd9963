import { isJson, type Json, textOf } from './json.ts'
import type { Method, MethodContext } from './method.ts'
import { assistantMethods } from './methods/assistant.ts'
import { chatMethods } from './methods/chat.ts'
import { conversationMethods } from './methods/conversations.ts'
import { fileMethods } from './methods/files.ts'
import { peopleMethods } from './methods/people.ts'
import { streamMethods } from './methods/streams.ts'
import { viewMethods } from './methods/views.ts'
import type { RateLimits } from './rate-limits.ts'
import { SlackError, shapeError } from './slack-error.ts'
import type { World } from './world.ts'

export const METHODS: Readonly<Record<string, Method>> = {
  ...peopleMethods,
  ...chatMethods,
  ...conversationMethods,
  ...viewMethods,
  ...fileMethods,
  ...assistantMethods,
  ...streamMethods,
}

/** A token and what it may do. */
export interface Token {
  readonly kind: 'bot' | 'app'
  readonly scopes: Set<string>
  /** What is answered to it from now on, such as `token_revoked`. */
  refusal: string | null
}

/** One call the app made, as it was answered. */
export interface ApiCall {
  readonly method: string
  readonly args: Json
  /** `ok`, Slack's error code, or the fault that was planned for it. */
  readonly outcome: string
  /** Milliseconds since 1970 by the server's clock. */
  readonly at: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json
}

/** Errors that say that the app sent something it should not have, whatever the state of the workspace. */
const MISTAKES = [
  'invalid_arguments',
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_chunks',
  'invalid_metadata_format',
  'invalid_metadata_schema',
  'markdown_text_conflict',
  'metadata_too_large',
  'missing_recipient_team_id',
  'missing_recipient_user_id',
  'missing_scope',
  'msg_too_long',
  'no_text',
  'not_allowed_token_type',
  'push_limit_reached',
  'unknown_method',
]

export interface ApiRequest {
  readonly name: string
  readonly authorization: string | undefined
  readonly args: Json
}

/** Answers one call as Slack does: token, scopes, limits, arguments, then the method itself. */
export function answerCall(
  { name, authorization, args: given }: ApiRequest,
  {
    world,
    tokens,
    limits,
    context,
  }: {
    world: World
    tokens: ReadonlyMap<string, Token>
    limits: RateLimits
    context: (scopes: ReadonlySet<string>, name: string) => MethodContext
  },
): Answer {
  // Bolt's clients name the workspace in every call; it matters for organisations only.
  const { token: tokenInForm, team_id: _, ...args } = given
  const token = tokens.get(authorization?.replace(/^Bearer /, '') ?? textOf(tokenInForm))
  const object = (problem: string): void => void world.violations.push({ method: name, problem })
  try {
    const found = METHODS[name]
    if (found === undefined) throw new SlackError('unknown_method', { req_method: name })
    checkToken(token, authorization ?? tokenInForm, found)
    const wait = limits.take({ method: name, tier: found.tier, channel: textOf(args['channel']) || null })
    if (wait !== null) return { status: 429, headers: { 'retry-after': String(wait) }, body: { ok: false, error: 'ratelimited' } }
    for (const unknown of Object.keys(args).filter((key) => !(key in found.args.shape))) object(`there is no argument ${unknown}`)
    const parsed = found.args.safeParse(args)
    if (!parsed.success)
      throw shapeError(
        'invalid_arguments',
        parsed.error.issues.map(({ message, path }) => `${message} [json-pointer:/${path.join('/')}]`),
      )
    const scopes = token?.scopes ?? new Set<string>()
    checkScopes(found.scopes(parsed.data, world), scopes)
    const body = { ok: true, ...found.run(parsed.data, context(scopes, name)) }
    return { status: 200, headers: scopeHeaders(scopes), body }
  } catch (error) {
    if (!(error instanceof SlackError)) throw error
    if (MISTAKES.includes(error.code)) object([error.code, ...problemsIn(error)].join(': '))
    return { status: 200, headers: scopeHeaders(token?.scopes ?? new Set()), body: { ok: false, error: error.code, ...error.extra } }
  }
}

function checkToken(token: Token | undefined, given: unknown, { token: wanted }: Method): void {
  if (given === undefined) throw new SlackError('not_authed')
  if (token === undefined) throw new SlackError('invalid_auth')
  if (token.refusal !== null) throw new SlackError(token.refusal)
  if (token.kind !== wanted) throw new SlackError('not_allowed_token_type')
}

function checkScopes(anyOf: readonly string[], provided: ReadonlySet<string>): void {
  if (anyOf.length === 0 || anyOf.some((scope) => provided.has(scope))) return
  throw new SlackError('missing_scope', { needed: anyOf.join(','), provided: [...provided].join(',') })
}

function scopeHeaders(scopes: ReadonlySet<string>): Record<string, string> {
  return scopes.size === 0 ? {} : { 'x-oauth-scopes': [...scopes].join(',') }
}

function problemsIn({ extra }: SlackError): string[] {
  const { response_metadata: data, needed } = extra
  const messages = isJson(data) && Array.isArray(data['messages']) ? data['messages'].map(String) : []
  return [...messages, ...(typeof needed === 'string' ? [needed] : [])]
}
