import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EDGE_PROBLEMS, REFUSAL_STATUS } from '../../bot/problem.ts'
import { describeDatabases } from '../support/database.ts'
import type { Answer, Client } from '../support/edge/client.ts'
import { anAlert, openEdge, type RunningEdge, waitFor } from '../support/edge/edge-harness.ts'

interface Operation {
  operationId: string
  parameters: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

interface Described {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

describeDatabases('the description of the interface', (store) => {
  const database = store.perSuite()
  let running: RunningEdge
  let document: Described
  let alice: Client
  beforeAll(async () => {
    running = await openEdge(database())
    document = (await running.client().get('/api/openapi.json')).json
    alice = await running.as('alice')
  })
  afterAll(() => running.close())

  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // The package is CommonJS: its function is the module, or its default, depending on who loads it.
  const addFormats = 'default' in addFormatsModule ? (addFormatsModule.default as unknown as (instance: Ajv2020) => void) : addFormatsModule
  addFormats(ajv)

  /** Checks an answer against the document; returns it. */
  const described = (method: string, path: string, answer: Answer): Answer => {
    const response = document.paths[path]?.[method]?.responses[String(answer.status)]
    expect(response, `${method} ${path} answers ${answer.status}`).toBeDefined()
    const [type] = (answer.headers.get('content-type') ?? '').split(';')
    if (response?.content === undefined) return answer
    const content = response.content[type ?? '']
    expect(content, `${method} ${path} answers ${answer.status} as ${type}`).toBeDefined()
    if (!type?.includes('json')) return answer
    const schema = JSON.parse(JSON.stringify(content?.schema).replaceAll('#/components/schemas/', '#/$defs/'))
    const validate = ajv.compile({ ...schema, $defs: document.components.schemas })
    expect(validate(answer.json), `${method} ${path} ${answer.status}: ${ajv.errorsText(validate.errors)}`).toBe(true)
    return answer
  }

  test('is OpenAPI 3.1, with a name of its own for each operation', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const names = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
    expect(new Set(names).size).toBe(names.length)
  })

  test('every route is described, and everything described is a route', () => {
    const routes = running.edge.app.routes().map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect([...new Set(routes)].sort()).toEqual(documented.sort())
  })

  test('has everything the contract names', () => {
    const paths = Object.keys(document.paths)
    for (const path of [
      '/healthz',
      '/readyz',
      '/metrics',
      '/webhooks/alertmanager',
      '/webhooks/generic',
      '/webhooks/changes',
      '/api/v1/session',
    ])
      expect(paths).toContain(path)
    for (const name of [
      'incidents',
      'incidents/{id}',
      'approvals',
      'approvals/{id}',
      'approvals/{id}/votes',
      'commands',
      'drills',
      'drills/{id}',
      'audit',
      'audit/verify',
      'services',
      'events',
    ])
      expect(paths).toContain(`/api/v1/${name}`)
  })

  test('every path parameter is described, and every schema can be compiled', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const operation of Object.values(methods)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        expect(operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named)
        const schemas = [
          ...operation.parameters.map(({ schema }) => schema),
          ...Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema),
        ]
        for (const schema of schemas) expect(() => ajv.compile(schema)).not.toThrow()
      }
    }
  })

  test.each([
    [
      'generic',
      [{ name: 'a' }, [{ name: 'a', service: 'b' }], { alerts: [{ name: 'a' }] }],
      [{}, [], { name: '' }, { name: 'a', status: 'odd' }],
    ],
    ['changes', [{ service: 'a', summary: 'b' }, { changes: [{ service: 'a', summary: 'b' }] }], [{ service: 'a' }, { changes: [] }]],
    ['alertmanager', [anAlert()], [{}, { alerts: [{ status: 'odd' }] }]],
  ])('what is sent to /webhooks/%s is of the shape that it describes', (name, fits, others) => {
    const schema = document.paths[`/webhooks/${name}`]?.['post']?.requestBody?.content['application/json']?.schema ?? {}
    const validate = ajv.compile(schema)
    expect(fits.map((body) => [validate(body), ajv.errorsText(validate.errors)])).toEqual(fits.map(() => [true, 'No errors']))
    expect(others.map((body) => validate(body))).toEqual(others.map(() => false))
  })

  test('every code there is stands in it', () => {
    const problem = document.components.schemas['Problem'] as { properties: { code: { enum: string[] } } }
    expect([...problem.properties.code.enum].sort()).toEqual([...Object.keys(EDGE_PROBLEMS), ...Object.keys(REFUSAL_STATUS)].sort())
  })

  describe('real answers are as described', () => {
    test('of everything that can be read', async () => {
      const id = await running.askSomething()
      const approval = described('get', '/api/v1/approvals/{id}', await alice.get(`/api/v1/approvals/${id}`)).json
      const vote = { decision: 'approve', digest: approval.digest }
      expect(described('post', '/api/v1/approvals/{id}/votes', await alice.post(`/api/v1/approvals/${id}/votes`, vote)).status).toBe(200)
      // Nothing changes any more between one read and the next.
      await waitFor(async () => ((await alice.get(`/api/v1/incidents/${approval.incident}`)).json.state === 'resolved' ? true : null))
      const incident = described('get', '/api/v1/incidents/{id}', await alice.get(`/api/v1/incidents/${approval.incident}`)).json
      expect(incident.cards.map(({ kind }: { kind: string }) => kind)).toEqual(['incident', 'approval'])
      expect(incident.plans).toHaveLength(1)
      const full = described('get', '/api/v1/incidents', await alice.get('/api/v1/incidents')).json
      expect(full.items[0]).toEqual({ ...incident, thread: expect.any(Array) })
      const summary = described('get', '/api/v1/incidents', await alice.get('/api/v1/incidents?shape=summary&state=active')).json
      expect(summary.items.every((item: object) => !('cards' in item))).toBe(true)
      for (const path of [
        '/api/v1/approvals',
        '/api/v1/audit',
        '/api/v1/audit/verify',
        '/api/v1/people',
        '/api/v1/drills',
        '/api/v1/services',
        '/api/v1/session',
        '/api/v1/sign-in',
        '/healthz',
        '/readyz',
        '/metrics',
      ])
        expect(described('get', path, await alice.get(path)).status).toBe(200)
    })

    test('of every "no"', async () => {
      const nobody = running.client()
      const calls: readonly (readonly [string, string, () => Promise<Answer>])[] = [
        ['get', '/api/v1/incidents/{id}', () => nobody.get('/api/v1/incidents/none')],
        ['get', '/api/v1/approvals/{id}', () => nobody.get('/api/v1/approvals/none')],
        ['get', '/api/v1/approvals', () => nobody.get('/api/v1/approvals?limit=0')],
        ['get', '/api/v1/session', () => nobody.get('/api/v1/session')],
        ['get', '/api/v1/drills/{id}', () => nobody.get('/api/v1/drills/none')],
        ['post', '/api/v1/drills', () => nobody.post('/api/v1/drills', { name: 'none' })],
        ['post', '/api/v1/drills', () => nobody.post('/api/v1/drills', { name: 'bad-release' })],
        ['post', '/api/v1/session', () => nobody.post('/api/v1/session', { person: 'nobody' })],
        ['post', '/api/v1/session', () => nobody.post('/api/v1/session', 'x')],
        ['post', '/api/v1/session', () => nobody.post('/api/v1/session', {}, { origin: 'https://evil.example' })],
        ['post', '/api/v1/commands', () => nobody.post('/api/v1/commands', '{}', { 'content-type': 'text/plain' })],
        ['get', '/auth/login', () => nobody.get('/auth/login')],
        ['get', '/auth/callback', () => nobody.get('/auth/callback?code=x&state=y')],
        ['post', '/auth/logout', () => nobody.post('/auth/logout', {})],
        ['post', '/webhooks/alertmanager', () => nobody.post('/webhooks/alertmanager', {})],
        [
          'post',
          '/api/v1/approvals/{id}/votes',
          () => nobody.post('/api/v1/approvals/x/votes', { decision: 'deny', digest: 'a'.repeat(64) }),
        ],
        ['post', '/api/v1/approvals/{id}/keep', () => alice.post('/api/v1/approvals/x/keep')],
      ]
      for (const [method, path, call] of calls) expect(described(method, path, await call()).status).toBeGreaterThanOrEqual(400)
    })

    test('of commands and sign-out', async () => {
      expect(described('post', '/api/v1/commands', await alice.post('/api/v1/commands', { text: 'status' })).status).toBe(200)
      const carol = await running.as('carol')
      expect(described('delete', '/api/v1/session', await carol.delete('/api/v1/session')).status).toBe(204)
    })
  })

  test('with tokens configured, nothing but what is open answers without one', async () => {
    const strict = await openEdge(database(), {
      environment: { STEADYHAND_API_KEYS: 'k'.repeat(32), STEADYHAND_WEBHOOK_TOKEN: 't'.repeat(32) },
    })
    const answers = await Promise.all(
      strict.edge.endpoints.map(async ({ method, path }) => {
        const { status } = await strict.client().request(method.toUpperCase(), path.replace('{id}', 'x'))
        return [`${method.toUpperCase()} ${path}`, status] as const
      }),
    )
    const open = answers.filter(([, status]) => status !== 401).map(([route]) => route)
    expect(open.sort()).toEqual([
      'GET /api/openapi.json',
      'GET /api/v1/sign-in',
      'GET /auth/callback',
      'GET /auth/login',
      'GET /healthz',
      'GET /readyz',
      'POST /api/v1/session',
      'POST /auth/backchannel-logout',
      'POST /auth/logout',
    ])
    await strict.close()
  })
})
