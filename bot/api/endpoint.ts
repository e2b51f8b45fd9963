import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { issueWords } from '../../agent/domain/issue-words.ts'
import type { Caller } from '../identity.ts'
import { parseForm, parseJson } from '../json-body.ts'
import type { BodyType, Checked } from '../outermost-check.ts'
import { HttpProblem, type ProblemCode } from '../problem.ts'
import type { Attempt } from '../who-may.ts'

/** What an answer looks like: in words, and as JSON unless it is of another type. */
export interface AnswerShape {
  words: string
  schema: z.ZodType | null
  type?: string
}

/** One call of the HTTP interface: what serves it, what checks it and what documents it are this one thing. */
export interface Endpoint {
  method: 'get' | 'post' | 'delete'
  /** With parameters in braces: '/api/v1/incidents/{id}'. */
  path: string
  /** Unique name, as an operationId. */
  name: string
  summary: string
  /**
   * caller: a key or a person wherever tokens are configured · token: a token of its own · signed: every request bears a signature of its body ·
   * open: anybody who reaches the port.
   */
  access: 'open' | 'caller' | 'token' | 'signed'
  params: z.ZodObject
  query: z.ZodObject
  body: z.ZodType | null
  /** What the body is sent as: JSON unless it says otherwise. `either`: its handler tells by the Content-Type. */
  bodyType?: BodyType
  answers: Readonly<Record<number, AnswerShape>>
  problems: readonly ProblemCode[]
  serve(context: Context<Checked>, caller: Caller): Promise<Response>
}

export interface Call<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  caller: Caller
  context: Context<Checked>
}

/** A Response for what is no JSON, or a status with a body. */
type Answer = Response | { status?: number; body?: unknown; headers?: Record<string, string> }

interface Spec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>
  extends Omit<Endpoint, 'params' | 'query' | 'body' | 'problems' | 'serve'> {
  params?: P
  query?: Q
  body?: B
  problems?: readonly ProblemCode[]
  /** Who may call, where that is asked before anything else of the call is looked at. Throws for a no. */
  admit?(context: Context<Checked>): void
  handle(call: Call<z.infer<P>, z.infer<Q>, z.infer<B>>): Promise<Answer>
}

/** What a caller shows of who they are. */
export interface Credentials {
  authorization: string | undefined
  cookie: string | undefined
}

export function credentialsOf({ req }: Context<Checked>): Credentials {
  return { authorization: req.header('authorization'), cookie: req.header('cookie') }
}

const NOTHING = z.object({})

/** Ties a call's schemas to its handler: the handler gets what was parsed, and nothing else. */
export function endpoint<P extends z.ZodObject = typeof NOTHING, Q extends z.ZodObject = typeof NOTHING, B extends z.ZodType = z.ZodNull>(
  spec: Spec<P, Q, B>,
): Endpoint {
  const { handle, admit = () => {}, ...rest } = spec
  const params: z.ZodObject = spec.params ?? NOTHING
  const query: z.ZodObject = spec.query ?? NOTHING
  const readBody = spec.bodyType === 'form' ? parseForm : parseJson
  return {
    ...rest,
    params,
    query,
    body: spec.body ?? null,
    problems: spec.problems ?? [],
    async serve(context, caller) {
      admit(context)
      const answer = await handle({
        params: parsed(params, context.req.param(), 'not-found') as z.infer<P>,
        query: parsed(query, context.req.query(), 'invalid-query') as z.infer<Q>,
        body: (spec.body ? parsed(spec.body, readBody(context.get('body')), 'invalid-body') : null) as z.infer<B>,
        caller,
        context,
      })
      return answer instanceof Response ? answer : toResponse(answer)
    },
  }
}

const ABOUT_A_REQUEST = '/api/v1/approvals/{id}'

/** Serves endpoints; `callerOf` decides who calls before anything of the call is looked at, `refused` what a caller is told of an error. */
export function mountEndpoints(
  app: Hono<Checked>,
  endpoints: readonly Endpoint[],
  {
    callerOf,
    refused,
  }: {
    callerOf(context: Context<Checked>): Promise<Caller>
    refused(error: unknown, attempt: Attempt): Promise<unknown>
  },
): void {
  for (const each of endpoints) {
    app.on(each.method.toUpperCase(), each.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => {
      context.set('route', each.path)
      const caller: Caller = each.access === 'caller' ? await callerOf(context) : { kind: 'anyone' }
      try {
        return await each.serve(context, caller)
      } catch (error) {
        const requestId = each.path.startsWith(ABOUT_A_REQUEST) ? (context.req.param('id') ?? null) : null
        throw await refused(error, { caller, what: each.name, requestId })
      }
    })
  }
}

function parsed(schema: z.ZodType, value: unknown, code: 'not-found' | 'invalid-query' | 'invalid-body'): unknown {
  const result = schema.safeParse(value, { error: issueWords })
  if (result.success) return result.data
  throw new HttpProblem(code, code === 'not-found' ? null : inWords(result.error))
}

/** Which fields are wrong and how, without the values that were sent. */
function inWords(error: z.ZodError): string {
  const issues = error.issues.slice(0, 5).map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': '))
  return issues.join('; ').slice(0, 500)
}

function toResponse({ status = 200, body, headers = {} }: Exclude<Answer, Response>): Response {
  const text = body === undefined ? null : JSON.stringify(body)
  const type = text === null ? {} : { 'content-type': 'application/json' }
  return new Response(text, { status, headers: { ...type, 'cache-control': 'no-store', ...headers } })
}
