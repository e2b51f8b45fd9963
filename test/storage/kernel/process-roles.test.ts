import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SLACK_PRESSES, SLACK_WORDS, SLACK_WORK } from '../../../bot/slack/work-kinds.ts'
import { createApprovalKernel } from '../../../storage/approvals.ts'
import { type OpenDatabase, openDatabase } from '../../../storage/database.ts'
import { createExecutionKernel } from '../../../storage/execution.ts'
import { createInbox } from '../../../storage/inbox.ts'
import { claimJobs, finishJobs } from '../../../storage/job-rows.ts'
import { AGENT_JOBS, grantProcessRoles, PROCESS_ROLES, type ProcessRole } from '../../../storage/process-roles.ts'
import type { Database } from '../../../storage/schema.ts'
import { createStores } from '../../../storage/stores.ts'
import { describePostgres } from '../../support/database.ts'
import { actorOf, CHANNEL, clickOf, createKernel, type Kernel, RENDER_HASH, seed, verified } from '../../support/kernel.ts'
import { samplePlan } from '../../support/kernel-plans.ts'
import { given } from '../../support/kernel-power.ts'
import { rehearse } from '../../support/kernel-sql.ts'
import { createLogins } from '../../support/process-roles.ts'

const DENIED = /^fault 42501 (permission denied|must be owner)/

describePostgres('three processes with rights of their own', (store) => {
  const opened = new Map<ProcessRole, OpenDatabase>()
  const closing: (() => Promise<unknown>)[] = []
  let owner: Kernel
  beforeAll(async () => {
    const database = await store.open()
    owner = createKernel(database)
    await seed(database.db)
    await grantProcessRoles(database.db)
    await grantProcessRoles(database.db)
    const logins = await createLogins(database.db, database.url ?? '')
    for (const role of PROCESS_ROLES) {
      const own = await openDatabase({ dataDir: ':memory:', databaseUrl: logins.urls[role], now: () => new Date() })
      opened.set(role, own)
      closing.push(own.close)
    }
    closing.push(logins.drop, database.close)
  })
  afterAll(async () => {
    for (const close of closing) await close()
  })
  const as = (role: ProcessRole): Kysely<Database> => {
    const own = opened.get(role)
    if (!own) throw new Error(`${role} is open only while a test runs`)
    return own.db
  }
  const asked = async () => {
    const { parent, undo } = samplePlan(new Date())
    const shown = { presentations: [CHANNEL], renderHash: RENDER_HASH, renderVersion: 1 }
    const { id } = await createApprovalKernel({ db: as('agent') }).propose({ parent, undo, ...shown })
    return { requestId: id, parent, undo }
  }
  const tried = (role: ProcessRole, statement: string): Promise<string> => rehearse(as(role), (tx) => sql.raw(statement).execute(tx))

  test('carry one action from the proposal to its verification, each its part', async () => {
    const request = await asked()
    const edge = createApprovalKernel({ db: as('edge') })
    expect((await edge.vote(clickOf(request, 'ada'))).requestState).toBe('authorised')
    const executions = createExecutionKernel({ db: as('executor') })
    const [claimable] = await executions.claimable(1)
    const { executionId } = await executions.claim(claimable?.authorisationId ?? '', owner.epoch)
    expect(await executions.refusalToAct(executionId)).toBeNull()
    for (const step of ['intent', 'sent', 'succeeded'] as const) await executions.advance(executionId, step, owner.epoch, {})
    await executions.advance(executionId, 'verified', owner.epoch, { samples: 3 })
    const seen = await createApprovalKernel({ db: as('agent') }).approval(request.requestId)
    expect([seen?.execution?.state, seen?.votes.map(({ person }) => person)]).toEqual(['verified', ['ada']])
    await verified(owner)
  })

  test('the edge stops, freezes, cancels, and lets two admins give', async () => {
    const [log, onDeadJob] = [{ info: () => {}, warn: () => {}, error: () => {} }, () => {}]
    const database = opened.get('edge')
    if (!database) return
    const stores = createStores({ database, now: () => new Date(), log, workerId: 'edge', onDeadJob })
    await stores.control.stop('env:other', 'ada')
    await stores.control.start('env:other', 'ada', 'person')
    await stores.control.start('env:other', 'ben', 'person')
    const until = new Date(Date.now() + 60_000)
    await stores.control.unfreeze(
      await stores.control.freeze({ scope: 'env:other', from: new Date(), to: until, reason: 'x', by: 'rex' }),
      'rex',
    )
    await stores.tidy()
    await stores.approvals.cancel((await asked()).requestId, 'ada', 'x')
    await given(stores, { kind: 'grant', person: 'vera', role: 'approver', environment: 'other' })
    await given(stores, { kind: 'link', person: 'dora', name: 'Dora', surface: 'teams', tenant: 'T', account: 'x' })
    expect(await stores.people.byActor({ surface: 'teams', tenant: 'T', externalId: 'x' })).toMatchObject({ id: 'dora' })
    expect((await stores.people.list()).find(({ id }) => id === 'vera')?.roles.toSorted()).toEqual(['approver', 'viewer'])
    await verified(owner)
  })

  test('what people did in a chat is seen and worked on by the edge alone, and all other work by the agent', async () => {
    const handled = readFileSync(join(import.meta.dirname, '../../../agent/create-agent.ts'), 'utf8').matchAll(
      /queue\.handle(?:Together)?\(\s*'([\w-]+)'/g,
    )
    expect([...handled].map(([, kind]) => kind)).toEqual(AGENT_JOBS)
    const chat = [...SLACK_WORK]
    const kinds = [...chat, 'intake']
    const [edge, agent] = [createInbox({ db: as('edge') }), createInbox({ db: as('agent') })]
    const stored = new Map<string, number>()
    for (const kind of kinds) {
      const source = kind === 'intake' ? 'alertmanager' : 'slack'
      const { id } = await edge.accept({ source, deliveryKey: kind, body: Buffer.from('{}'), headers: {}, jobKind: kind })
      stored.set(kind, id)
    }
    const seen = async (inbox: typeof edge): Promise<string[]> => {
      const found = await Promise.all(kinds.map(async (kind) => ((await inbox.get(stored.get(kind) ?? 0)) === null ? [] : [kind])))
      return found.flat()
    }
    expect([await seen(edge), await seen(agent)]).toEqual([kinds, ['intake']])
    await agent.markProcessed(stored.get(SLACK_WORDS) ?? 0)
    expect((await edge.get(stored.get(SLACK_WORDS) ?? 0))?.state).toBe('received')

    for (const [role, own] of [['agent', ['intake']] as const, ['edge', chat] as const]) {
      const free = new Map(kinds.map((kind) => [kind, 9]))
      const { claimed } = await claimJobs(as(role), { workerId: role, free, leaseSeconds: 60 })
      expect(claimed.map(({ kind }) => kind).toSorted()).toEqual([...own].toSorted())
      const claims = claimed.map(({ id, attempt }) => ({ id, attempt, workerId: role }))
      expect(await finishJobs(as(role), claims)).toBe(claims.length)
    }
    for (const role of ['agent', 'executor'] as const)
      expect(await tried(role, `insert into job (kind, payload) values ('${SLACK_PRESSES}', '{}')`)).toMatch(
        /^fault 42501 new row violates row-level security/,
      )
    for (const role of ['edge', 'agent'] as const)
      expect(await tried(role, `update job set kind = 'intake', payload = '{}'`)).toMatch(DENIED)
  })

  test('of every table somebody decided who reads it', async () => {
    const { rows } = await sql<{ name: string }>`
      select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') and not exists (
        select 1 from unnest(array['edge', 'agent', 'executor']) role where has_any_column_privilege('steadyhand_' || role, c.oid, 'select')
      ) order by 1`.execute(owner.db)
    expect(rows.map(({ name }) => name)).toEqual(['kernel_turn', 'kysely_migration_lock'])
  })

  describe('the agent', () => {
    test('cannot vote, nor confirm, nor ask for power', async () => {
      const request = await asked()
      await expect(createApprovalKernel({ db: as('agent') }).vote(clickOf(request, 'ada'))).rejects.toThrow('permission denied')
      expect((await owner.approvals.approval(request.requestId))?.requestState).toBe('pending')
      await owner.approvals.cancel(request.requestId, 'ada', 'x')
    })

    test.each([
      ['votes', `insert into vote (request_id) values (gen_random_uuid())`],
      ['changes of who may what', `insert into power_change (id) values (gen_random_uuid())`],
      ['confirmations of them', `insert into power_confirmation (digest) values ('x')`],
      ['roles', `insert into role_grant (principal_id, role, environment, granted_by) values ('ada', 'admin', '*', 'configuration')`],
      [
        'accounts',
        `insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('slack', 'T', 'x', 'ada', 'configuration')`,
      ],
      ['authorisations', `insert into authorisation (plan_id, digest, kind) select id, digest, 'votes' from plan limit 1`],
      ['executions', `insert into execution (plan_id) values (gen_random_uuid())`],
      ['steps of executions', `insert into execution_event (seq) values (1)`],
      ['the lease', `update lease set epoch = epoch + 1`],
      ['what an action is', `insert into action_definition (kind, version) values ('x', 1)`],
      ['the kill switch', `update kill_switch set engaged = false, by_whom = 'host'`],
      ['entries of the log', `insert into audit_entry (actor) values ('x')`],
      ['a policy', `insert into policy_activation (digest) values ('x')`],
      ['the turn', `select take_turn() from kernel_turn`],
      ['the kernel itself', `alter table vote disable trigger vote_guard`],
      ['a table of its own', `create table mine (id int)`],
      ['a temporary one', `create temporary table vote (id int)`],
      ['its way into another role', `set role steadyhand_executor`],
    ])('cannot write %s', async (_, statement) => {
      expect(await tried('agent', statement)).toMatch(DENIED)
    })

    test.each([
      ['who is signed in', 'select token_hash from session'],
      ['what a provider said of them', 'select sealed from provider_session'],
      ['who is signing in', 'select token_hash from sign_in_attempt'],
      ['how a click was delivered', 'select delivery_key from vote'],
      ['what a person typed', 'select confirm from vote'],
      ['where a click came from', 'select external_id from vote'],
      ['any vote whole', 'select * from vote'],
      ['accounts', 'select external_id from identity_link'],
      ['what was said where', 'select text from surface_message'],
      ['passwords of the database', 'select rolpassword from pg_authid'],
      ['files of the server', `select pg_read_file('postgresql.conf')`],
      ['connections of others', `select * from pg_hba_file_rules`],
    ])('cannot read %s', async (_, statement) => {
      expect(await tried('agent', statement)).toMatch(DENIED)
    })

    test('cannot use a trigger of the kernel for a table of its own, or call what only guards call', async () => {
      const { rows } = await sql<{ name: string }>`
        select p.oid::regprocedure::text as name from pg_proc p
        where p.pronamespace = 'public'::regnamespace and has_function_privilege(p.oid, 'execute') and (p.prorettype = 'trigger'::regtype or p.proname in ('tell', 'fence', 'refuse'))`.execute(
        as('agent'),
      )
      expect(rows).toEqual([])
    })
  })

  test.each([
    ['executions', `insert into execution (plan_id) values (gen_random_uuid())`],
    ['steps of executions', `insert into execution_event (seq) values (1)`],
    ['authorisations', `insert into authorisation (plan_id, digest, kind) select id, digest, 'votes' from plan limit 1`],
    ['plans', `insert into plan (id) values (gen_random_uuid())`],
    ['the lease', `update lease set epoch = epoch + 1`],
    ['roles', `insert into role_grant (principal_id, role, environment, granted_by) values ('ada', 'admin', '*', 'host')`],
    ['roles away', `update role_grant set revoked_at = clk()`],
    ['a policy', `insert into policy_activation (digest) values ('x')`],
  ])('the edge cannot write %s', async (_, statement) => {
    expect(await tried('edge', statement)).toMatch(DENIED)
  })

  test.each([
    ['stops', `update kill_switch set engaged = false, by_whom = 'host'`],
    ['scopes', `insert into kill_switch (scope, engaged, by_whom) values ('env:x', true, 'host')`],
    [
      'freezes',
      `insert into freeze_window (scope, starts_at, ends_at, reason, by_whom) values ('*', clk(), clk() + interval '1 hour', 'x', 'host')`,
    ],
  ])('the edge does not speak for the host about %s', async (_, statement) => {
    expect(await tried('edge', statement)).toMatch(/^refused not-authorised/)
  })

  test('the executor cannot vote, propose or read who is signed in', async () => {
    const request = await asked()
    await expect(createApprovalKernel({ db: as('executor') }).vote(clickOf(request, 'ada'))).rejects.toThrow('permission denied')
    expect(await tried('executor', `insert into plan (id) values (gen_random_uuid())`)).toMatch(DENIED)
    expect(await tried('executor', `select token_hash from session`)).toMatch(DENIED)
    expect(await tried('executor', `insert into power_confirmation (digest) values ('x')`)).toMatch(DENIED)
    expect(await owner.people.byActor(actorOf('ada'))).not.toBeNull()
  })
})
