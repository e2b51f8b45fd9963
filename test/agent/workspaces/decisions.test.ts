import { afterEach, describe, expect, test } from 'vitest'
import type { Agent } from '../../../agent/agent.ts'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import type { Principal } from '../../../agent/domain/principal.ts'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import type { ConfiguredPerson } from '../../../bot/config.ts'
import { peopleRows } from '../../../bot/configured-people.ts'
import { actorOf } from '../../../bot/identity.ts'
import { alert } from '../../support/alerts.ts'
import { aHypothesis, anEvidenceItem } from '../../support/builders.ts'
import { describeDatabases } from '../../support/database.ts'
import { type EdgeOptions, openEdge, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'
import { createFakeTarget, FAKE_DEFINITION, type FakeTarget } from '../../support/fake-target.ts'

const PATIENCE_MS = 120_000
const SECONDS = 60
/** Each calls the next. */
const SERVICES = ['storefront', 'payments', 'ledger'].map((service) => ({ service, environment: 'local' }))
/** Olly looks after all of them, Pat and Lea after one each; Pat's team reads no alerts and no logs. */
const WORKSPACES = [
  workspace('platform', { services: ['*'], people: ['olly'] }),
  workspace('pay', { services: ['payments'], people: ['pat'], data: ['metrics'] }),
  workspace('books', { services: ['ledger'], people: ['lea'] }),
]
const PEOPLE = ['pat', 'lea', 'olly'].map((id): ConfiguredPerson => ({ id, name: id, roles: ['approver'], environments: null, links: [] }))

function workspace(name: string, changed: Partial<Workspace>): Workspace {
  return { name, services: null, environments: null, data: DATA_KINDS, people: [], keys: [], channels: [], ...changed }
}

describeDatabases(
  'what is decided for somebody who sees only so much',
  (store) => {
    const database = store.perTest()
    const opened: RunningEdge[] = []
    afterEach(async () => {
      for (const running of opened.splice(0)) await running.close()
    })
    const open = async (options: EdgeOptions = {}): Promise<RunningEdge> => {
      const running = await openEdge(database(), { people: PEOPLE, workspaces: WORKSPACES, services: SERVICES, ...options })
      opened.push(running)
      return running
    }
    /** Nothing of it works by itself, so that everything stays as it was laid down. */
    const openStill = async (options: EdgeOptions = {}): Promise<RunningEdge> => {
      const running = await open({ parts: { edge: false, agent: false, executor: false }, ...options })
      await running.stores.people.sync(peopleRows(PEOPLE, true))
      await running.stores.approvals.registerActions([FAKE_DEFINITION])
      return running
    }
    const as = async ({ agent }: RunningEdge, id: string): Promise<{ seen: Agent; by: Principal }> => {
      const by = await agent.person(actorOf(id))
      if (!by) throw new Error(`there is no ${id}`)
      return { seen: agent.seenBy({ kind: 'person', id, isAdmin: false }, null), by }
    }

    test('a node is cordoned by nobody for whom others run there too, seen or not', async () => {
      const target = createFakeTarget(() => new Date())
      const running = await openStill({ target })
      const { seen, by } = await as(running, 'pat')
      const ask = async (service: string) =>
        await seen.proposeByHand({ action: 'set-version', service, parameters: { version: 'v1' }, incident: null }, by)
      runsOnNode(target, ['payments', 'ledger'])
      await expect(ask('node-1')).rejects.toMatchObject({
        code: 'invalid-parameters',
        message: expect.stringContaining('Services of different workspaces run on node-1.'),
      })
      runsOnNode(target, ['ledger'])
      const refused = async (name: string): Promise<string> => String(await ask(name).catch((error: unknown) => error))
      expect(await refused('node-1')).toBe((await refused('node-9')).replace('node-9', 'node-1'))
      expect((await running.stores.incidents.list({ limit: 5 })).items).toEqual([])
      runsOnNode(target, ['payments'])
      expect((await ask('node-1')).plan.target.name).toBe('node-1')
    })

    test('what the agent would ask about a service is not asked in an incident of other people, and it says so', async () => {
      const running = await open()
      const { seen, by } = await as(running, 'olly')
      const incident = await seen.investigateByHand({ service: 'storefront' }, by)
      const id = incident?.id ?? ''
      const words = `payments and ${id} belong to different workspaces, so "Set payments to v1" is not asked for here`
      const said = await waitFor(
        async () => (await running.stores.incidents.timeline(id)).find(({ kind }) => kind === 'nothing-proposed') ?? null,
        SECONDS,
      )
      expect(said.text).toContain(words)
      expect((await running.stores.approvals.approvals({ limit: 5 })).items).toEqual([])
      const why = await seen.whyNot({ action: 'set-version', service: 'payments', incident: id })
      expect(why?.reasons.join()).toContain(words)
      await seen.investigateByHand({ service: 'payments' }, by)
      await waitFor(async () => (await running.stores.approvals.approvals({ limit: 5 })).items[0] ?? null, SECONDS)
    })

    describe('rests on all that is known, not on what they may read:', () => {
      const laidDown = async ({ stores }: RunningEdge): Promise<string> => {
        const place = { service: 'payments', environment: 'local' }
        const trigger = { service: 'storefront', metric: 'error_ratio', comparator: '>' as const, threshold: 0.05 }
        const { incidentId } = await stores.incidents.absorb(alert({ ...place, trigger }), null, () => ({
          ...{ do: 'open', ...place, title: 'errors', severity: 2, severityReason: 'by hand', drillRun: null, reason: 'an alert' },
        }))
        const id = incidentId ?? ''
        const item = anEvidenceItem('E1', {})
        await stores.incidents.addEvidence(id, [item, { ...item, kind: 'logs', trust: 'log' }])
        const claims = [{ text: 'By both.', cites: ['E1', 'E2'], supported: true }]
        await stores.incidents.saveHypotheses(id, [
          aHypothesis({ class: 'bad_release', component: 'service/payments', claims, against: [] }),
        ])
        return id
      }

      test('the symptom in a plan, and alerts that are split off', async () => {
        const running = await openStill()
        const id = await laidDown(running)
        const { seen, by } = await as(running, 'pat')
        expect((await seen.incident(id))?.alerts).toEqual([])
        const split = async (name: string) => await seen.split(id, [name], by)
        await expect(split('another')).rejects.toThrow('No alert of it is called that. Its alerts are not read in this workspace.')
        await expect(split('HighErrorRatio')).rejects.toThrow('At least one alert has to stay')
        const asked = { action: 'set-version', service: 'payments', parameters: { version: 'v1' }, incident: id }
        const { plan } = await seen.proposeByHand(asked, by)
        expect(plan.symptom).toMatchObject({ service: 'storefront', metric: 'error_ratio', comparator: '<=' })
      })

      test('whether a diagnosis is corroborated', async () => {
        const told: boolean[] = []
        const running = await openStill({
          policy: ({ corroborated }) => {
            told.push(corroborated)
            return { decide: 'deny', code: 'policy-denied', reasons: ['for the test'] }
          },
        })
        const id = await laidDown(running)
        const { seen } = await as(running, 'pat')
        expect((await seen.incident(id))?.evidence.map(({ kind }) => kind)).toEqual(['metrics'])
        await seen.whyNot({ action: 'set-version', service: 'payments', incident: id })
        expect(told).toEqual([true])
      })

      test('the severity of an incident that they open', async () => {
        const { seen, by } = await as(await openStill(), 'lea')
        const incident = await seen.investigateByHand({ service: 'ledger' }, by)
        expect(incident?.severityReason).toContain('it and what calls it: 3 of 3 services')
      })
    })

    test('what is found by the self-check, and who may what of a service, is told to whoever sees it', async () => {
      const running = await open({ configured: ['the plan of another team is not as it was'] })
      const ready = await running.client().get('/readyz')
      expect(ready.json).toMatchObject({ mode: 'observe', reasons: [] })
      const { seen, by } = await as(running, 'pat')
      const asked = { action: 'set-version', service: 'payments', parameters: { version: 'v1' }, incident: null }
      const { id, digest } = await seen.proposeByHand(asked, by)
      const vote = { requestId: id, digest, decision: 'approve', confirm: null, reason: null, deliveryKey: 'one' } as const
      const refused = seen.vote({ ...vote, actor: actorOf('olly'), place: 'console' })
      await expect(refused).rejects.toMatchObject({ code: 'observing', detail: expect.stringContaining('an admin sees which') })
      const holders = async (service: string) =>
        (await running.agent.holders({ role: 'responder', of: { service, environment: 'local' } })).map((each) => each.id).toSorted()
      expect([await holders('ledger'), await holders('storefront')]).toEqual([['lea', 'olly'], ['olly']])
    })
  },
  PATIENCE_MS,
)

/** The target's action on a node concerns these services. */
function runsOnNode({ action }: FakeTarget, services: readonly string[]): void {
  const { byHand } = action
  if (!byHand) throw new Error('the fake action can be asked for by hand')
  action.observe = async ({ name }) =>
    name === 'node-1'
      ? {
          target: { provider: 'fake', environment: 'local', kind: 'Node', name, uid: 'uid-9' },
          preconditions: [{ field: 'version', equals: 'v2' }],
          replicas: 0,
        }
      : null
  byHand.concerns = async (name) => (name === 'node-1' ? { environment: 'local', services } : null)
}
