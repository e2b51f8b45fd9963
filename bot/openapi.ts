import { z } from 'zod'
import type { RefusalCode } from '../agent/domain/refusal.ts'
import type { Endpoint } from './api/endpoint.ts'
import { EDGE_PROBLEMS, type EdgeProblemCode, type ProblemCode, REFUSAL_STATUS } from './problem.ts'

type Json = Record<string, unknown>

const JSON_BODY = 'application/json'
const FORM_BODY = 'application/x-www-form-urlencoded'
const BODY_TYPES = { json: [JSON_BODY], form: [FORM_BODY], either: [JSON_BODY, FORM_BODY] } as const

/** What any call may be answered with, whatever it is about. */
const ALWAYS: readonly ProblemCode[] = ['foreign-host', 'foreign-origin', 'internal', 'unavailable']
const WITH_BODY: readonly ProblemCode[] = ['invalid-json', 'invalid-body', 'body-too-large', 'unsupported-media-type', 'invalid-request']

/** The OpenAPI 3.1 document of these endpoints, made from the schemas that check their calls. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const each of endpoints) paths[each.path] = { ...paths[each.path], [each.method]: operationOf(each) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Steadyhand',
      version,
      description: 'An on-call agent that changes nothing until a person has approved exactly that action.',
    },
    paths,
    components: {
      schemas: { Problem: problemSchema() },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A configured key. Keys read, ask and propose; they never vote.' },
        webhookToken: { type: 'http', scheme: 'bearer', description: 'The token of the webhooks.' },
        person: {
          type: 'apiKey',
          in: 'cookie',
          name: 'steadyhand_session',
          description: 'A person who is signed in; over https the name begins with __Host-.',
        },
      },
    },
  }
}

function operationOf(each: Endpoint): Json {
  return {
    operationId: each.name,
    summary: each.summary,
    parameters: [...parametersOf(each.params, 'path'), ...parametersOf(each.query, 'query')],
    ...(each.body === null ? {} : { requestBody: { required: true, content: contentsOf(BODY_TYPES[each.bodyType ?? 'json'], each.body) } }),
    responses: { ...answersOf(each), ...problemsOf(each) },
    security: SECURITY[each.access],
  }
}

function contentsOf(types: readonly string[], body: z.ZodType): Json {
  return Object.fromEntries(types.map((type) => [type, { schema: schemaOf(body, 'input') }]))
}

/** An empty requirement stands for "also without": on loopback no token is asked for unless one is configured. */
const SECURITY: Readonly<Record<Endpoint['access'], Json[]>> = {
  open: [{}],
  token: [{}, { webhookToken: [] }],
  // Not a credential of the caller: each body bears its own.
  signed: [{}],
  caller: [{}, { key: [] }, { person: [] }],
}

function answersOf(each: Endpoint): Json {
  const entries = Object.entries(each.answers).map(([status, { words, schema, type }]) => {
    const content = schema === null && type === undefined ? {} : { content: { [type ?? 'application/json']: contentOf(schema) } }
    return [status, { description: words, ...content }]
  })
  return Object.fromEntries(entries)
}

function contentOf(schema: z.ZodType | null): Json {
  return { schema: schema === null ? { type: 'string' } : schemaOf(schema, 'output') }
}

/** One response for each status, naming the codes that come with it. */
function problemsOf(each: Endpoint): Json {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of new Set([...each.problems, ...generalProblems(each)])) {
    const status = statusOf(code)
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const entries = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, codes]) => [
      String(status),
      { description: codes.join(', '), content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    ])
  return Object.fromEntries(entries)
}

function generalProblems(each: Endpoint): ProblemCode[] {
  return [
    ...ALWAYS,
    ...(each.access === 'open' || each.access === 'signed' ? [] : ['no-token' as const]),
    ...(each.access === 'signed' ? ['not-signed' as const] : []),
    ...(each.access === 'caller' ? ['session-ended' as const] : []),
    ...(Object.keys(each.params.shape).length > 0 ? ['not-found' as const] : []),
    ...(each.method === 'get' ? [] : WITH_BODY),
  ]
}

function statusOf(code: ProblemCode): number {
  return code in EDGE_PROBLEMS ? EDGE_PROBLEMS[code as EdgeProblemCode][0] : REFUSAL_STATUS[code as RefusalCode]
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

/** Inside an OpenAPI document a schema carries no dialect of its own. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function problemSchema(): Json {
  const codes = [...Object.keys(EDGE_PROBLEMS), ...Object.keys(REFUSAL_STATUS)]
  return schemaOf(
    z.object({ type: z.string(), title: z.string(), status: z.int().min(400).max(599), detail: z.string(), code: z.enum(codes) }),
    'output',
  )
}
