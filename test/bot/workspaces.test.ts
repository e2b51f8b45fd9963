import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DATA_KINDS } from '../../agent/domain/model-data.ts'
import { type Asker, sees, sightOf, type Workspace } from '../../agent/domain/workspace.ts'
import { BUDGET } from '../../agent/investigation/budget.ts'
import type { Step } from '../../agent/investigation/transcript.ts'
import type { Endpoint } from '../../bot/api/endpoint.ts'
import { COMMANDS, runCommand } from '../../bot/commands.ts'
import type { ConfiguredPerson } from '../../bot/config.ts'
import { peopleRows } from '../../bot/configured-people.ts'
import { actorOf, agentFor, type Caller } from '../../bot/identity.ts'
import { createPeopleStore } from '../../storage/people.ts'
import { alert } from '../support/alerts.ts'
import { aHypothesis, anEvidenceItem } from '../support/builders.ts'
import { describeDatabases } from '../support/database.ts'
import type { Answer } from '../support/edge/client.ts'
import { openEdge, type RunningEdge } from '../support/edge/edge-harness.ts'
import { SAMPLE_ACTIONS, samplePlan } from '../support/kernel-plans.ts'

/** A test asks a thousand times and more; on a loaded machine that takes longer. */
const PATIENCE_MS = 180_000

/** What there is: each in an environment of its own, so that not even an environment's name is shared. */
const SERVICES = [
  { service: 'billing', environment: 'local' },
  { service: 'basket', environment: 'south' },
  { service: 'ledger', environment: 'west' },
] as const
const NOWHERE = 'zzzzzzzz'
const NO_INCIDENT = 'inc-999'
const NO_APPROVAL = '00000000-0000-4000-8000-000000000000'

const WORKSPACES: readonly Workspace[] = [
  workspace('pay', { services: ['bill*'], people: ['pat'], keys: ['paybot'], channels: ['C0PAY'] }),
  workspace('shop', { environments: ['south'], people: ['sam'], data: ['alerts', 'metrics'] }),
]

function workspace(name: string, changed: Partial<Workspace>): Workspace {
  return { name, services: null, environments: null, data: DATA_KINDS, people: [], keys: [], channels: [], ...changed }
}

const person = (id: string, role: 'approver' | 'admin', environments: string[] | null = null): ConfiguredPerson => ({
  id,
  name: id.toUpperCase(),
  roles: [role],
  environments,
  links: [],
})
/** Les is an admin of one environment, which makes nobody see what belongs to others. */
const PEOPLE = [
  person('pat', 'approver'),
  person('sam', 'approver'),
  person('nan', 'approver'),
  person('les', 'admin', ['west']),
  person('ann', 'admin'),
]

const NAMELESS = 'a key without a name'

interface Who {
  name: string
  asker: Asker
  /** What every request of theirs carries. */
  headers(running: RunningEdge): Promise<Record<string, string>>
}

const program = (name: string | null, key: string): Who => ({
  name: name ?? NAMELESS,
  asker: name === null ? { kind: 'nobody' } : { kind: 'key', name },
  headers: async () => ({ authorization: `Bearer ${key}` }),
})
const ASKERS: readonly Who[] = [
  ...PEOPLE.map(({ id }) => ({
    name: id,
    asker: { kind: 'person' as const, id, isAdmin: id === 'ann' },
    headers: async (running: RunningEdge) => ({ cookie: (await running.as(id)).cookie ?? '' }),
  })),
  program('paybot', 'p'.repeat(40)),
  program(null, 'k'.repeat(40)),
]

/** Who stands where, for what is said in chat: each sees something else, and an admin only what the channel sees. */
const STANDPOINTS: readonly (readonly [name: string, channel: string | null])[] = [
  ['pat', null],
  ['ann', 'C0PAY'],
  ['paybot', null],
]

interface Browser {
  headers: Record<string, string>
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
}

async function browserOf(who: Who, running: RunningEdge): Promise<Browser> {
  const [headers, client] = [await who.headers(running), running.client()]
  return {
    headers,
    get: async (path) => await client.get(path, headers),
    post: async (path, body) => await client.post(path, body, headers),
  }
}

interface Thing {
  service: string
  environment: string
  incident: string
  approval: string
  digest: string
}

describeDatabases(
  'workspaces',
  (store) => {
    const database = store.perSuite()
    let running: RunningEdge
    let things: Thing[]
    const callers = new Map<string, Browser>()

    beforeAll(async () => {
      await createPeopleStore({ db: database().db }).sync(peopleRows(PEOPLE, true))
      // No part of it works by itself, so that everything stays as it was laid down.
      running = await openEdge(database(), {
        people: PEOPLE,
        workspaces: WORKSPACES,
        services: SERVICES,
        environment: { STEADYHAND_API_KEYS: `paybot:${'p'.repeat(40)},${'k'.repeat(40)}` },
        namedPeople: true,
        parts: { edge: true, agent: false, executor: false },
      })
      await running.stores.approvals.registerActions(Object.values(SAMPLE_ACTIONS))
      things = []
      for (const [index, place] of SERVICES.entries()) things.push(await laidDown(running, place, index))
      for (const who of ASKERS) callers.set(who.name, await browserOf(who, running))
    }, 60_000)
    afterAll(async () => await running.close(), 60_000)

    const client = (who: Who): Browser => {
      const caller = callers.get(who.name)
      if (!caller) throw new Error(`${who.name} is not there yet`)
      return caller
    }
    const seenBy = (who: Who): Thing[] => things.filter((thing) => sees(sightOf(WORKSPACES, who.asker, null), thing))
    const hiddenFrom = (who: Who): Thing[] => things.filter((thing) => !seenBy(who).includes(thing))
    const ofCallers = (method: Endpoint['method']): Endpoint[] =>
      running.edge.endpoints.filter((each) => each.access === 'caller' && each.method === method && !isStream(each))

    test('everybody here sees what the rule says, and the rule leaves nobody and nothing out of the matrix', () => {
      const matrix = Object.fromEntries(ASKERS.map((who) => [who.name, seenBy(who).map(({ service }) => service)]))
      expect(matrix).toEqual({
        pat: ['billing'],
        sam: ['basket'],
        nan: [],
        les: [],
        ann: ['billing', 'basket', 'ledger'],
        paybot: ['billing'],
        [NAMELESS]: [],
      })
    })

    test('a program that shows its key as it is written in the settings is the same program', async () => {
      const written = await running
        .client()
        .get('/api/v1/incidents?limit=10&shape=summary', { authorization: `Bearer paybot:${'p'.repeat(40)}` })
      const usual = await running.client().get('/api/v1/incidents?limit=10&shape=summary', { authorization: `Bearer ${'p'.repeat(40)}` })
      expect([written.status, written.json.items.length, written.text]).toEqual([200, 1, usual.text])
    })

    test('who sees the same is given the same agent, so that a stream which is asked again goes on', () => {
      for (const { asker } of ASKERS) expect(running.agent.seenBy(asker, null).sight).toBe(running.agent.seenBy({ ...asker }, null).sight)
      expect(running.agent.seenBy({ kind: 'person', id: 'ann', isAdmin: true }, null).sight).toBe(running.agent.sight)
    })

    describe.each(ASKERS.map((who) => [who.name, who] as const))('to %s', (_name, who) => {
      test('every GET of one thing answers what is not seen like what is not there', async () => {
        const asked = ofCallers('get').filter(({ path }) => path.includes('{'))
        expect(asked.length).toBeGreaterThan(5)
        for (const endpoint of asked)
          for (const thing of hiddenFrom(who)) {
            const there = await client(who).get(filled(endpoint, thing))
            const nowhere = await client(who).get(filled(endpoint, NOTHING))
            expect([endpoint.path, there.status, neutral(there.text, thing)]).toEqual([
              endpoint.path,
              nowhere.status,
              neutral(nowhere.text, NOTHING),
            ])
          }
      })

      test('every GET of many things names only what is seen, whatever is asked of it', async () => {
        for (const endpoint of ofCallers('get').filter(({ path }) => !path.includes('{')))
          for (const query of ['', ...hiddenFrom(who).map((thing) => queryOf(endpoint, thing))]) {
            const { text } = await client(who).get(`${endpoint.path}${query}`)
            for (const hidden of hiddenFrom(who))
              expect([endpoint.path + query, leaked(withoutQuery(text, hidden, query), hidden)]).toEqual([endpoint.path + query, []])
          }
      })

      test('what is seen is found by each kind of reading', async () => {
        const get = async (path: string) => await client(who).get(path)
        const [incidents, approvals, services, audit, records] = [
          await get('/api/v1/incidents?limit=10'),
          await get('/api/v1/approvals?limit=10'),
          await get('/api/v1/services'),
          await get('/api/v1/audit?limit=200'),
          await get('/api/v1/records'),
        ]
        const seen = seenBy(who)
        const ids = (answer: { json: { items: { id: string }[] } }): string[] => answer.json.items.map(({ id }) => id).toSorted()
        expect(ids(incidents)).toEqual(seen.map(({ incident }) => incident).toSorted())
        expect(ids(approvals)).toEqual(seen.map(({ approval }) => approval).toSorted())
        expect(services.json.items.map(({ name }: { name: string }) => name).toSorted()).toEqual(
          seen.map(({ service }) => service).toSorted(),
        )
        expect(records.json.incidents.opened).toBe(seen.length)
        for (const { incident } of seen)
          expect(audit.json.items.some((entry: { incident: string | null }) => entry.incident === incident)).toBe(true)
        for (const { incident, approval, service } of seen) {
          expect((await get(`/api/v1/incidents/${incident}`)).json.service).toBe(service)
          expect((await get(`/api/v1/approvals/${approval}`)).json.incident).toBe(incident)
        }
      })

      test('every POST about one thing answers what is not seen like what is not there, and changes nothing', async () => {
        const before = await rowsOf(running)
        for (const endpoint of ofCallers('post').filter(({ path }) => path.includes('{')))
          for (const thing of hiddenFrom(who)) {
            const there = await client(who).post(filled(endpoint, thing), bodyOf(endpoint, thing))
            const nowhere = await client(who).post(filled(endpoint, NOTHING), bodyOf(endpoint, NOTHING))
            expect([endpoint.path, there.status, neutral(there.text, thing)]).toEqual([
              endpoint.path,
              nowhere.status,
              neutral(nowhere.text, NOTHING),
            ])
            expect(there.status).toBeGreaterThanOrEqual(400)
          }
        expect(await rowsOf(running)).toEqual(before)
      })

      test('the stream of events tells of what is seen, numbered without gaps', async () => {
        const told = await eventsOf(running, client(who), things)
        expect(told).toEqual(seenBy(who).map(({ incident }, index) => ({ id: String(firstId(told) + index), incident })))
      })
    })

    describe.each(STANDPOINTS)('to %s, channel %s', (name, channel) => {
      const stand = async (): Promise<{ hidden: Thing[]; say(text: string): Promise<string> }> => {
        const who = ASKERS.find((each) => each.name === name)
        const person = await running.agent.person(actorOf(name))
        const caller: Caller = person
          ? { kind: 'person', person, actor: actorOf(name), sessionHash: '' }
          : { kind: 'program', name: name === NAMELESS ? null : name }
        const sight = sightOf(WORKSPACES, who?.asker ?? { kind: 'nobody' }, channel)
        // The clock stands still, so that two answers differ by what they tell alone.
        const at = { caller, incident: null, now: new Date(), consoleUrl: 'http://127.0.0.1:7878' }
        const agent = agentFor(running.agent, caller, channel)
        const say = async (text: string): Promise<string> => {
          const { notification, blocks } = await runCommand(text, { ...at, agent })
          return JSON.stringify([notification, blocks])
        }
        return { hidden: things.filter((thing) => !sees(sight, thing)), say }
      }

      test('every command answers what is not seen like what is not there, and changes nothing', async () => {
        const [before, { hidden, say }] = [await rowsOf(running), await stand()]
        expect(hidden.length).toBeGreaterThan(0)
        for (const { name: command } of COMMANDS)
          for (const words of WORDS) {
            const nowhere = neutral(await say(`${command} ${words(NOTHING)}`), NOTHING)
            for (const thing of hidden) {
              const said = `${command} ${words(thing)}`
              expect([said, neutral(await say(said), thing)]).toEqual([said, nowhere])
            }
          }
        expect(await rowsOf(running)).toEqual(before)
      })

      test('every command that only reads names, said alone, only what is seen', async () => {
        const { hidden, say } = await stand()
        const reading = COMMANDS.filter(({ needs, programs }) => programs && needs === 'read')
        expect(reading.length).toBeGreaterThan(10)
        for (const { name: command } of reading) {
          const text = await say(command)
          for (const thing of hidden) expect([command, leaked(text, thing)]).toEqual([command, []])
        }
      })
    })

    test('data of a kind that a workspace may not read is not there: no evidence of it, no sentence that rests on it, no logs', async () => {
      const [, basket] = things
      const read = async (name: string) => {
        const browser = await running.as(name)
        const { json } = await browser.get(`/api/v1/incidents/${basket?.incident}`)
        const [, logs] = [
          await browser.get(`/api/v1/incidents/${basket?.incident}/evidence/E2`),
          await browser.post('/api/v1/commands', { text: 'logs basket' }),
        ]
        const evidence = json.evidence.map(({ kind }: { kind: string }) => kind)
        const claims = json.hypotheses[0].claims.map(({ text }: { text: string }) => text)
        return {
          evidence,
          claims,
          item: (await browser.get(`/api/v1/incidents/${basket?.incident}/evidence/E2`)).status,
          logs: logs.json.text,
        }
      }
      expect(await read('ann')).toMatchObject({ evidence: ['metrics', 'logs'], claims: ['By metrics.', 'By logs.'], item: 200 })
      expect(await read('sam')).toMatchObject({
        evidence: ['metrics'],
        claims: ['By metrics.'],
        item: 404,
        logs: expect.stringContaining('No logs of basket'),
      })
    })

    test('what a model did is read whole by whoever may read all that it was told, and without words by whoever may not', async () => {
      const [, basket] = things
      const read = async (name: string) => await (await running.as(name)).get(`/api/v1/incidents/${basket?.incident}/model-runs`)
      const [whole, narrow, none] = [await read('ann'), await read('sam'), await read('pat')]
      expect(whole.json.items[0]).toMatchObject({ number: 1, withheld: false, use: { outcome: 'concluded', questions: ['Why logs?'] } })
      expect(whole.text).toContain('SECRETIVE LINE')
      expect(narrow.json.items[0]).toMatchObject({ number: 1, withheld: true, use: { outcome: 'concluded', questions: [] } })
      expect(narrow.json.items[0].steps.map(({ kind }: { kind: string }) => kind)).toEqual(['started', 'answered', 'result', 'ended'])
      expect(narrow.text).not.toMatch(/SECRETIVE LINE|Why logs|E2/)
      expect(none).toMatchObject({ status: 404, json: { code: 'unknown-incident' } })
      const view = await (await running.as('sam')).get(`/api/v1/incidents/${basket?.incident}`)
      expect(view.json.model).toMatchObject({ outcome: 'concluded', questions: [] })
    })

    test('who may decide is who holds the role and sees it, and a vote of anybody else is one about nothing', async () => {
      const [billing] = things
      const names = await running.agent.whoMay(billing?.approval ?? '')
      expect(names.map(({ id }) => id).toSorted()).toEqual(['ann', 'pat'])
      const vote = async (name: string) =>
        await (await running.as(name)).post(`/api/v1/approvals/${billing?.approval}/votes`, { decision: 'deny', digest: billing?.digest })
      expect((await vote('sam')).json.code).toBe('unknown-approval')
      const refused = running.agent.vote({
        requestId: billing?.approval ?? '',
        digest: billing?.digest ?? '',
        decision: 'deny',
        actor: { surface: 'console', tenant: 'local', externalId: 'sam' },
        place: 'console',
        confirm: null,
        reason: null,
        deliveryKey: 'past-every-surface',
      })
      await expect(refused).rejects.toMatchObject({ code: 'unknown-approval' })
    })
  },
  PATIENCE_MS,
)

const NOTHING: Thing = { service: NOWHERE, environment: 'nowhere', incident: NO_INCIDENT, approval: NO_APPROVAL, digest: '0'.repeat(64) }

/** What follows a command's name: everything that a thing could be named by, alone and with more. */
const WORDS: readonly ((thing: Thing) => string)[] = [
  ({ incident }) => incident,
  ({ service }) => service,
  ({ approval }) => approval,
  // A level of severity, and an incident that nobody has.
  ({ incident }) => `${incident} 4`,
  ({ incident }) => `4 ${incident}`,
  ({ incident }) => `${incident} 1h`,
  ({ incident }) => `${incident} right`,
  ({ incident }) => `${incident} as fixed`,
  ({ service }) => `set-version ${service}`,
  ({ service }) => `p99 of ${service}`,
  ({ service }) => `resource:${service} 1h because`,
  ({ environment }) => `env:${environment} 1h because`,
]

const isStream = ({ answers }: Endpoint): boolean => Object.values(answers).some(({ type }) => type === 'text/event-stream')

function filled({ path, query }: Endpoint, thing: Thing): string {
  const id = path.includes('/approvals/') ? thing.approval : path.includes('/incidents/') ? thing.incident : NO_APPROVAL
  return path.replace('{id}', id).replace('{label}', 'E1') + queryOf({ query }, thing)
}

/** Every parameter that a thing could be asked by. */
function queryOf({ query }: Pick<Endpoint, 'query'>, { service, incident }: Thing): string {
  const values: Record<string, string> = {
    service,
    incident,
    metric: 'error_ratio',
    from: '2026-03-01T10:00:00Z',
    to: '2026-03-01T11:00:00Z',
    state: '',
  }
  const known = Object.keys(query.shape).filter((name) => values[name])
  return known.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(known.map((name) => [name, values[name] ?? ''])))}`
}

function bodyOf({ name, body }: Endpoint, { digest }: Thing): unknown {
  const bodies: Record<string, unknown> = {
    resolveIncident: { reason: 'x' },
    takeIncident: {},
    snoozeIncident: { for: '1h' },
    severityIncident: { severity: 3 },
    mergeIncident: { into: 'inc-997' },
    splitIncident: { alerts: ['HighErrorRatio'] },
    feedbackIncident: { verdict: 'right' },
    vote: { decision: 'deny', digest },
    cancelApproval: { reason: 'x' },
  }
  if (body !== null && !Object.hasOwn(bodies, name)) throw new Error(`say what ${name} is sent, so that it is tried here too`)
  return bodies[name]
}

/** Without the names that were asked by: what is left has to be the same for what is not seen and for what is not there. */
function neutral(text: string, { service, environment, incident, approval, digest }: Thing): string {
  const said = [service, environment, incident, approval, digest, approval.slice(0, 8)]
  return said.reduce((left, name) => left.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), '…'), text)
}

/** What of a thing an answer names. */
function leaked(text: string, { service, environment, incident, approval }: Thing): string[] {
  const names = [service, environment === 'local' ? 'environment local' : environment, incident, approval, approval.slice(0, 8)]
  return names.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
}

/** What was asked may be said again. */
function withoutQuery(text: string, { service, incident }: Thing, query: string): string {
  return [service, incident].filter((name) => query.includes(name)).reduce((left, name) => left.replaceAll(`"service":"${name}"`, ''), text)
}

/** A model was told lines of a log. */
async function modelLooked({ modelRuns }: RunningEdge['stores'], incident: string, service: string): Promise<void> {
  const asked = { provider: 'anthropic', model: 'claude', price: null }
  const line = `SECRETIVE LINE of ${service}`
  const steps: Step[] = [
    { kind: 'started', prompts: [], system: 'Look.', user: line, budget: BUDGET, tells: ['metrics', 'logs'] },
    {
      ...{ kind: 'answered', ...asked, text: line, raw: null, reason: 'calls', usage: { input: 9, output: 9 } },
      calls: [{ id: 'c1', name: 'read_logs', input: { service } }],
    },
    { kind: 'result', call: 'c1', name: 'read_logs', status: 'ok', labels: ['E2'], text: line, short: line },
    { kind: 'ended', outcome: 'concluded', words: 'it concluded', opinion: { causes: [], questions: ['Why logs?'] } },
  ]
  const run = await modelRuns.start(incident, 'investigation')
  for (const [i, step] of steps.entries()) await modelRuns.append(run.id, i + 1, { ...step, at: new Date() })
}

async function laidDown({ stores }: RunningEdge, place: (typeof SERVICES)[number], index: number): Promise<Thing> {
  const { service, environment } = place
  const { incidentId } = await stores.incidents.absorb(
    alert({ ...place, key: `${service}-errors`, summary: `errors of ${service}` }),
    null,
    () => ({
      do: 'open',
      ...place,
      title: `${service} answers errors`,
      severity: 2,
      severityReason: `${service} is in front`,
      drillRun: null,
      reason: `an alert about ${service}`,
    }),
  )
  const id = incidentId ?? ''
  const asked = anEvidenceItem('E1', { summary: `Errors of ${service}.`, query: service })
  await stores.incidents.addEvidence(id, [asked, { ...asked, kind: 'logs', trust: 'log', summary: `Lines of ${service}.` }])
  await modelLooked(stores, id, service)
  const claims = ['metrics', 'logs'].map((kind, at) => ({ text: `By ${kind}.`, cites: [`E${at + 1}`], supported: true }))
  await stores.incidents.saveHypotheses(id, [aHypothesis({ component: `service/${service}`, claims, against: [], unknown: [] })])
  const { parent, undo } = samplePlan(new Date(), {
    incident: id,
    target: { provider: 'sample', environment, kind: 'service', name: service, uid: `u-${index}` },
    ttlSeconds: 3_000,
    over: { blastRadius: { replicas: 1, ofReplicas: 1, dependents: [], downtime: 'none' } },
  })
  const presentations = [{ surface: 'console' as const, tenant: 'local', place: 'console' }]
  const approval = await stores.approvals.propose({ parent, undo, presentations, renderHash: 'c'.repeat(64), renderVersion: 1 })
  return { ...place, incident: id, approval: approval.id, digest: parent.digest }
}

/** Everything that a refused wish could have changed. */
async function rowsOf({ stores }: RunningEdge): Promise<unknown> {
  const { items } = await stores.incidents.list({ limit: 50 })
  const timelines = await Promise.all(items.map(async ({ id }) => (await stores.incidents.timeline(id)).length))
  const requests = (await stores.approvals.approvals({ limit: 50 })).items.map(({ id, requestState, votes }) => [
    id,
    requestState,
    votes.length,
  ])
  return [items, timelines, requests, await stores.control.stopped(), await stores.control.freezes()]
}

interface Told {
  id: string
  incident: string
}

const firstId = ([first]: readonly Told[]): number => Number(first?.id ?? 0)

/** What of one event about each thing, and a last one about nothing, a caller hears. */
async function eventsOf({ hub, url }: RunningEdge, { headers }: Browser, things: readonly Thing[]): Promise<Told[]> {
  const ended = new AbortController()
  const response = await fetch(`${url}/api/v1/events`, { headers, signal: ended.signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let heard = (await reader?.read())?.value ?? ''
  for (const { incident } of things) hub.publish({ type: 'incident-changed', incidentId: incident })
  hub.publish({ type: 'mode-changed' })
  while (!heard.includes('event: mode-changed')) heard += (await reader?.read())?.value ?? ''
  await reader?.cancel()
  ended.abort()
  return [...heard.matchAll(/id: (\d+)\nevent: incident-changed\ndata: .*?"incidentId":"([^"]+)"/g)].map(([, id = '', incident = '']) => ({
    id,
    incident,
  }))
}
