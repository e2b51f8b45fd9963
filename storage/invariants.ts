/** Writes the condition that a column with ids of plans, executions or requests is one of those a check looks at. */
export interface Within {
  plan(column: string): string
  execution(column: string): string
  request(column: string): string
}

/** Every row there is. */
export const EVERYTHING: Within = { plan: () => 'true', execution: () => 'true', request: () => 'true' }

/** Rows of these plans, and of the requests and executions of them. */
export function withinPlans(ids: readonly string[]): Within {
  const plans = `any ('{${ids.join(',')}}'::uuid[])`
  return {
    plan: (column) => `${column} = ${plans}`,
    execution: (column) => `${column} in (select id from execution where plan_id = ${plans})`,
    request: (column) => `${column} in (select id from request where plan_id = ${plans})`,
  }
}

/** One query that returns a row for each violation of an invariant: `subject` names the row, `words` says what is wrong with it. */
export interface Checker {
  invariant: number
  /** What must be true, in one sentence. */
  claim: string
  /** Set for what is asked of the log itself, or of people, whatever the plans. */
  of?: 'the log' | 'people'
  sql(within: Within): string
}

/*
 * What came first is read from the audit log, where places only grow: a clock that was set back makes no order, and a time that was changed
 * behind the log's back breaks none. Times are compared only where a rule speaks of time.
 */
const NEVER = '9223372036854775807'

/** The place in the log where a row was written, or first changed; null when the log does not say so. `key` is SQL: 'id', t.id, … */
const placeOf = (table: string, step: 'written' | 'changed', key: string): string =>
  `(select min(said.seq) from audit_entry said where said.what = '${table}-${step}' and said.body ->> 'key' = jsonb_build_object(${key})::text)`

/** From where to where in the log a link or a grant held. */
const held = (table: 'identity_link' | 'role_grant'): string => `
  select t.*, ${placeOf(table, 'written', `'id', t.id`)} as since,
    coalesce(${placeOf(table, 'changed', `'id', t.id`)}, case when t.revoked_at is null then ${NEVER} else 0 end) as until
  from ${table} t`

/** Entries that speak of a fact of a row, each with the place of the next one about the same row. */
const saidOf = (table: string, key: string, fact: string): string => `
  select body #>> '{key,${key}}' as subject, (body #>> '{facts,${fact}}')::boolean as fact, seq as since,
    coalesce(lead(seq) over (partition by body #>> '{key,${key}}' order by seq), ${NEVER}) as until
  from audit_entry where what in ('${table}-written', '${table}-changed')`

/** Where in the log each step towards an effect stands. */
const steps = (within: Within, names: string): string => `
  select e.execution_id, e.to_state, e.at, x.plan_id, ${placeOf('execution_event', 'written', `'execution_id', e.execution_id, 'seq', e.seq`)} as place
  from execution_event e join execution x on x.id = e.execution_id where e.to_state in (${names}) and ${within.plan('x.plan_id')}`

/** Every effect with the request it stands on: its own, or for an undo its parent's. */
const effects = (within: Within): string => `
  select step.execution_id, step.at, step.place, root.digest, root.needed, root.role, root.environment, root.requester, root.requester_may_approve,
    r.id as request_id, ${placeOf('authorisation', 'written', `'id', own.id`)} as allowed, ${placeOf('authorisation', 'written', `'id', a.id`)} as decided
  from (${steps(within, `'sent'`)}) step
  join execution x on x.id = step.execution_id
  join plan p on p.id = step.plan_id
  join plan root on root.id = coalesce(p.undo_of, p.id)
  left join authorisation own on own.id = x.authorisation_id and own.plan_id = p.id and own.digest = p.digest
  left join request r on r.plan_id = root.id
  left join authorisation a on a.request_id = r.id and a.digest = root.digest`

/**
 * Approvals of a plan's bytes that counted when it was sent: distinct people, other than a requester who may not, active, with link and role held
 * from the click to the send.
 */
const COUNTED = `
  select s.execution_id, count(distinct v.principal_id) as people
  from effect s
  join vote v on v.request_id = s.request_id and v.decision = 'approve' and v.digest = s.digest
  join link l on l.id = v.link_id and l.principal_id = v.principal_id and l.until > s.place
  join principal who on who.id = v.principal_id and who.kind = 'human'
  cross join lateral (
    select ${placeOf('vote', 'written', `'request_id', v.request_id, 'principal_id', v.principal_id, 'decision', v.decision`)} as place
  ) click
  where click.place < s.decided and l.since < click.place
    and (s.requester is null or s.requester <> v.principal_id or s.requester_may_approve)
    and not exists (select 1 from active off where off.subject = who.id and not off.fact and s.place between off.since and off.until)
    and exists (
      select 1 from grants g join role has on has.name = g.role join role wanted on wanted.name = s.role
      where g.principal_id = v.principal_id and has.rank >= wanted.rank and (g.environment = '*' or g.environment = s.environment)
        and g.since < click.place and g.until > s.place and g.valid_until > s.at
    )
  group by s.execution_id`

/** Admins behind each change that was done: people with account and role held from their word to its end, whoever asked and whoever confirmed. */
const POWER_COUNTED = `active as materialized (${saidOf('principal', 'id', 'active')}),
      word as materialized (
        select c.id as change_id, c.asked_by as who, c.link_id, ${placeOf('power_change', 'written', `'id', c.id`)} as place from power_change c
        union all select k.change_id, k.principal_id, k.link_id,
          ${placeOf('power_confirmation', 'written', `'change_id', k.change_id, 'principal_id', k.principal_id`)}
          from power_confirmation k join power_change c on c.id = k.change_id and c.digest = k.digest
      ),
      behind as materialized (
        select c.id as change_id, c.asked_by, (
          select count(distinct w.who) from word w join principal p on p.id = w.who and p.kind = 'human'
          join link l on l.id = w.link_id and l.principal_id = w.who and l.since < w.place and l.until > c.ended
          where w.change_id = c.id and w.place < c.ended
            and not exists (select 1 from active off where off.subject = w.who and not off.fact and c.ended between off.since and off.until)
            and exists (
              select 1 from grants g where g.principal_id = w.who and g.role = 'admin' and (g.environment = '*' or g.environment = coalesce(c.environment, '*'))
                and g.since < w.place and g.until > c.ended and g.valid_until > c.decided_at
            )
        ) as people
        from (select c.*, ${placeOf('power_change', 'changed', `'id', c.id`)} as ended from power_change c where c.state = 'done') c
        where c.digest = encode(sha256(convert_to(c.canonical, 'UTF8')), 'hex')
      )`

export const CHECKERS: readonly Checker[] = [
  {
    invariant: 1,
    claim: 'Every effect stands on enough distinct people who approved these exact bytes before it was authorised (the proof query).',
    sql: (within) => `with active as materialized (${saidOf('principal', 'id', 'active')}),
        link as materialized (${held('identity_link')}), grants as materialized (${held('role_grant')}),
        effect as materialized (${effects(within)}), counted as materialized (${COUNTED})
      select s.execution_id::text as subject, 'was sent without enough approvals of its digest' as words
      from effect s left join counted c on c.execution_id = s.execution_id
      where (s.allowed < s.place and s.decided <= s.allowed and coalesce(c.people, 0) >= s.needed) is not true`,
  },
  {
    invariant: 1,
    claim: 'The digest is the same from plan to execution.',
    sql: (within) => `select x.id::text as subject, 'has another digest than its plan' as words
      from execution x join plan p on p.id = x.plan_id
      where ${within.plan('p.id')} and (x.digest <> p.digest or p.digest <> encode(sha256(convert_to(p.canonical, 'UTF8')), 'hex'))`,
  },
  {
    invariant: 1,
    claim: 'An undo is the one that its approved parent names, after that was judged failed, and not when the change was kept.',
    sql: (within) => `select a.plan_id::text as subject, 'is an undo that its parent does not name' as words
      from authorisation a join plan u on u.id = a.plan_id left join plan p on p.id = u.undo_of and p.undo_plan_id = u.id and p.undo_digest = u.digest
      left join execution x on x.id = a.parent_execution_id and x.plan_id = p.id
      where ${within.plan('a.plan_id')} and (a.kind = 'undo' or u.undo_of is not null) and x.id is null
      union all select a.plan_id::text, 'is an undo outside its ten minutes, or of a change that was kept' from authorisation a
        where ${within.plan('a.plan_id')} and a.kind = 'undo'
          and (exists (
            select 1 from undo_waived w where w.execution_id = a.parent_execution_id
              and (w.how = 'kept' or exists (select 1 from execution o where o.authorisation_id = a.id))
          ) or not exists (
            select 1 from execution_event f where f.execution_id = a.parent_execution_id and f.from_state = 'succeeded' and f.to_state = 'failed'
              and a.at between f.at + interval '60 seconds' and f.at + interval '10 minutes'
          ))
      union all select e.execution_id::text, 'is called undone without a verified undo' from execution_event e
        where ${within.execution('e.execution_id')} and e.to_state = 'undone' and not exists (
          select 1 from authorisation a join execution u on u.authorisation_id = a.id where a.parent_execution_id = e.execution_id and u.state = 'verified'
        )`,
  },
  {
    invariant: 1,
    claim: 'Roles, accounts and the policy were given by two admins who confirmed these exact bytes, or are the host’s word.',
    of: 'people',
    sql: () => `with grants as materialized (${held('role_grant')}), link as materialized (${held('identity_link')}),
      ${POWER_COUNTED}
      select given.subject, given.words || ' without two admins' as words from (
        select 'role ' || g.id as subject, 'was given by ' || g.granted_by as words, g.change_id, g.granted_by as author,
          (c.kind, c.person, c.role, c.environment) = ('grant', g.principal_id, g.role, g.environment) as fits
          from role_grant g left join power_change c on c.id = g.change_id where g.granted_by not in ('configuration', 'host')
        union all select 'account ' || l.id, 'was linked by ' || l.linked_by, l.change_id, l.linked_by,
          (c.kind, c.person, c.surface, c.tenant, c.account) = ('link', l.principal_id, l.surface, l.tenant, l.external_id)
          from identity_link l left join power_change c on c.id = l.change_id where l.linked_by not in ('configuration', 'host')
        union all select 'policy ' || a.id, 'took effect', a.change_id, 'host', (c.kind, c.policy) = ('policy', a.digest)
          from policy_activation a left join power_change c on c.id = a.change_id where a.change_id is not null
      ) given left join behind b on b.change_id = given.change_id
      where (given.fits and b.asked_by = given.author and b.people >= 2) is not true
      union all select 'role ' || g.id, 'made an admin on the host although there was one' from grants g
        where g.granted_by = 'host' and exists (
          select 1 from grants o where o.role = 'admin' and o.id <> g.id and o.since < g.since and o.until > g.since and o.valid_until > g.granted_at
            and not exists (select 1 from active off where off.subject = o.principal_id and not off.fact and g.since between off.since and off.until)
        )`,
  },
  {
    invariant: 2,
    claim: 'One intent and one sent for an execution, one execution for a plan.',
    sql: (within) => `select execution_id::text as subject, 'has two events ' || to_state as words from execution_event
        where to_state in ('claimed', 'intent', 'sent') and ${within.execution('execution_id')} group by execution_id, to_state having count(*) > 1
      union all select plan_id::text, 'has two executions' from execution where ${within.plan('plan_id')} group by plan_id having count(*) > 1
      union all select plan_id::text, 'has two authorisations' from authorisation where ${within.plan('plan_id')} group by plan_id having count(*) > 1`,
  },
  {
    invariant: 2,
    claim: 'One thing at a time on a resource.',
    // Whatever is looked at: the few that are in flight have an index of their own.
    sql: () => `select resource as subject, 'has two executions in flight' as words from execution
      where state in ('claimed', 'intent', 'sent', 'unknown', 'succeeded') group by resource having count(*) > 1`,
  },
  {
    invariant: 2,
    claim: 'An execution is what its events say, each an allowed step after the one before.',
    sql: (within) => `with event as materialized (
        select *, row_number() over step as place, lag(to_state, 1, 'none') over step as before, lead(seq) over step is null as is_last
        from execution_event where ${within.execution('execution_id')} window step as (partition by execution_id order by seq)
      )
      select x.id::text as subject, 'is not in the state of its last event' as words
      from execution x left join event e on e.execution_id = x.id and e.is_last
      where ${within.plan('x.plan_id')} and (e.to_state = x.state and e.epoch = x.epoch) is not true
      union all select x.id::text, 'acts on another resource than its plan' from execution x join plan p on p.id = x.plan_id
        where ${within.plan('p.id')} and x.resource <> p.resource
      union all select e.execution_id::text, 'took the step ' || e.from_state || ' to ' || e.to_state || ' out of turn'
        from event e left join execution x on x.id = e.execution_id
        left join execution_edge g on g.from_state = e.from_state and g.to_state = e.to_state
        where e.seq <> e.place or e.from_state <> e.before or x.id is null or g.from_state is null`,
  },
  {
    invariant: 2,
    claim: 'Nothing is sent on an approval from before the database was restored.',
    sql: (
      within,
    ) => `select step.execution_id::text as subject, 'had its step ' || step.to_state || ' on an approval from before a restore' as words
      from (${steps(within, `'intent', 'sent'`)}) step join plan p on p.id = step.plan_id
      join authorisation a on a.plan_id = coalesce(p.undo_of, p.id)
      where exists (select 1 from audit_entry r where r.what = 'restoration-written'
        and r.seq > ${placeOf('authorisation', 'written', `'id', a.id`)} and r.seq < step.place)`,
  },
  {
    invariant: 3,
    claim: 'Nothing counts after the decision or the expiry, and a denial is never authorised.',
    sql: (within) => `select v.request_id::text as subject, 'has a vote after it ended' as words from vote v
        where ${within.request('v.request_id')}
          and ${placeOf('vote', 'written', `'request_id', v.request_id, 'principal_id', v.principal_id, 'decision', v.decision`)}
            > ${placeOf('request', 'changed', `'id', v.request_id`)}
      union all select a.request_id::text, 'was authorised although somebody denied it' from authorisation a
        join vote v on v.request_id = a.request_id and v.decision = 'deny' where ${within.plan('a.plan_id')}
      union all select r.id::text, 'expired before its time' from request r join plan p on p.id = r.plan_id
        where ${within.plan('p.id')} and r.state = 'expired' and r.decided_at < p.expires_at
      union all select r.id::text, 'is called authorised and is not' from request r left join authorisation a on a.request_id = r.id
        where ${within.plan('r.plan_id')} and r.state = 'authorised' and a.id is null
      union all select s.execution_id::text, 'was sent after its plan expired' from execution_event s join execution x on x.id = s.execution_id
        join plan p on p.id = x.plan_id where ${within.plan('p.id')} and s.to_state = 'sent' and s.at > p.expires_at`,
  },
  {
    invariant: 4,
    claim: 'Nobody approved what they asked for, unless the plan says so.',
    sql: (within) => `select v.request_id::text as subject, 'was approved by its requester ' || v.principal_id as words
      from vote v join plan p on p.id = v.plan_id
      where ${within.plan('p.id')} and v.decision = 'approve' and p.requester = v.principal_id and not p.requester_may_approve`,
  },
  {
    invariant: 5,
    claim: 'Irreversible actions have two people, each with the confirmation typed, and ten minutes.',
    sql: (within) => `select p.id::text as subject, 'is irreversible without its safeguards' as words from plan p
      where ${within.plan('p.id')} and p.reversibility = 'irreversible'
        and (p.needed < 2 or p.confirm is null or (p.undo_of is null and p.expires_at > p.created_at + interval '10 minutes 5 seconds'))
      union all select v.request_id::text, 'has an approval without the confirmation typed' from vote v join plan p on p.id = v.plan_id
        where ${within.plan('p.id')} and v.decision = 'approve' and p.confirm is not null and v.confirm is distinct from p.confirm`,
  },
  {
    invariant: 5,
    claim: 'A plan asks for no less than its action needs.',
    sql: (within) => `select p.id::text as subject, 'asks for less than its action needs' as words
      from plan p join action_definition d on d.kind = p.action_kind and d.version = p.action_version
      join role asked on asked.name = p.role join role needed on needed.name = d.role
      where ${within.plan('p.id')} and (p.needed < d.min_needed or asked.rank < needed.rank
        or (p.requester_may_approve and not d.requester_may_approve)
        or (d.step_up = 'typed' and p.confirm is null) or p.cooldown_seconds < d.min_cooldown_seconds)`,
  },
  {
    invariant: 6,
    claim: 'Nothing is sent while the kill switch is on.',
    sql: (within) => `with switched as materialized (${saidOf('kill_switch', 'scope', 'engaged')})
      select step.execution_id::text as subject, 'had its step ' || step.to_state || ' while stopped' as words
      from (${steps(within, `'intent', 'sent'`)}) step join plan p on p.id = step.plan_id
      join switched k on k.fact and k.subject in ('*', 'env:' || p.environment, 'kind:' || p.action_kind) and step.place between k.since and k.until`,
  },
  {
    invariant: 7,
    claim: 'Epochs never go back, and the epoch that wrote intent wrote sent.',
    sql: (within) => `select e.execution_id::text as subject, 'has an event of an older epoch' as words from (
        select execution_id, epoch, max(epoch) over (partition by execution_id order by seq) as newest
        from execution_event where ${within.execution('execution_id')}
      ) e where e.epoch < e.newest
      union all select s.execution_id::text, 'was sent by another epoch than its intent' from execution_event s
        left join execution_event i on i.execution_id = s.execution_id and i.to_state = 'intent' and i.epoch = s.epoch
        where ${within.execution('s.execution_id')} and s.to_state = 'sent' and i.execution_id is null`,
  },
  {
    invariant: 8,
    claim: 'Every ending has its notice.',
    sql: (within) => `select told.subject, told.words || ' without a notice' as words from (
        select e.execution_id::text as subject, 'ended ' || e.to_state as words, 'notice:execution:' || e.execution_id || ':' || e.to_state as dedupe
          from execution_event e where ${within.execution('e.execution_id')}
            and (e.to_state = 'unknown' or e.to_state in (select name from execution_state where terminal))
        union all select r.id::text, 'became ' || r.state, 'notice:request:' || r.id || ':' || r.state from request r
          where ${within.plan('r.plan_id')} and r.state <> 'superseded'
        union all select w.execution_id::text, 'had its undo waived', 'notice:undo-waived:' || w.execution_id from undo_waived w
          where ${within.execution('w.execution_id')}
      ) told left join outbox o on o.dedupe = told.dedupe and o.topic = 'notice'
      left join told_notice before on before.dedupe = told.dedupe where o.id is null and before.dedupe is null`,
  },
  {
    invariant: 9,
    claim: 'The chain can be recomputed from its first row, without a gap.',
    of: 'the log',
    sql: () => chainFrom(0, GENESIS),
  },
  {
    invariant: 12,
    claim: 'From the third change of one incident on, two people approve.',
    sql: (within) => `select s.execution_id::text as subject, 'was the third change of its incident with one person' as words from (
        select step.execution_id, p.id, p.needed, row_number() over (partition by p.incident_id order by step.place, step.execution_id) as turn
        from (${steps(EVERYTHING, `'sent'`)}) step join plan p on p.id = step.plan_id
        where p.undo_of is null and p.incident_id in (select incident_id from plan where ${within.plan('id')})
      ) s where s.turn > 2 and s.needed < 2`,
  },
]

/** The hash before the first entry of the log. */
export const GENESIS = '0'.repeat(64)

/** Entries after a place in the log that do not follow from the one before, beginning with the hash of the entry at that place. */
export function chainFrom(seq: number, hash: string): string {
  return `select seq::text as subject, 'does not follow from the entries before it' as words from (
      select *, row_number() over (order by seq) + ${seq} as place, lag(hash, 1, '${hash}') over (order by seq) as before
      from audit_entry where seq > ${seq}
    ) e where e.seq <> e.place or e.prev <> e.before or e.hash <> audit_hash(e.prev, e.seq, e.at, e.actor, e.what, e.body) order by e.seq`
}

/** The tables the chain speaks of and the columns that identify their rows, as in their audit triggers. */
export const AUDITED: Readonly<Record<string, readonly string[]>> = {
  principal: ['id'],
  identity_link: ['id'],
  role_grant: ['id'],
  power_change: ['id'],
  power_confirmation: ['change_id', 'principal_id'],
  policy_version: ['digest'],
  policy_activation: ['id'],
  action_definition: ['kind', 'version'],
  plan: ['id'],
  request: ['id'],
  presentation: ['request_id', 'surface', 'tenant', 'place'],
  vote: ['request_id', 'principal_id', 'decision'],
  authorisation: ['id'],
  execution_event: ['execution_id', 'seq'],
  undo_waived: ['execution_id'],
  kill_switch: ['scope'],
  start_vote: ['scope', 'generation', 'principal_id', 'lapsed'],
  freeze_window: ['id'],
  graduation_report: ['id'],
  standing_grant: ['id'],
  restoration: ['id'],
  accepted_effect: ['execution_id'],
  refused_attempt: ['id'],
  drill_start: ['run_id'],
}

const lastWords = (table: string, since: number): string => `
  select distinct on (body ->> 'key' collate "C") body ->> 'key' as key, body ->> 'row' as digest
  from audit_entry where what in ('${table}-written', '${table}-changed') and seq > ${since} order by body ->> 'key' collate "C", seq desc`

/** Rows of one table that differ from what the chain last said of them, that it never mentioned, or that it mentions and are gone. */
export function rowsAgainstChain(table: string, key: readonly string[]): string {
  const keyOf = key.map((column) => `'${column}', t.${column}`).join(', ')
  return `with last as (${lastWords(table, 0)})
    select coalesce(l.key, t.key) as subject,
      '${table} ' || case when l.key is null then 'is not in the audit log' when t.key is null then 'is gone' else 'was changed behind the audit log' end as words
    from last l full join (select jsonb_build_object(${keyOf})::text as key, row_digest(to_jsonb(t)) as digest from ${table} t) t on t.key = l.key
    where l.key is null or t.key is null or l.digest <> t.digest`
}

/** The same for the rows of one table that the chain speaks of after a place in it; rows that it never mentions are not looked for. */
export function rowsSince(table: string, key: readonly string[], since: number): string {
  const same = key.map((column) => `t.${column} = k.${column}`).join(' and ')
  return `select l.key as subject, '${table} ' || case when t.${key[0]} is null then 'is gone' else 'was changed behind the audit log' end as words
    from (${lastWords(table, since)}) l cross join lateral jsonb_populate_record(null::${table}, l.key::jsonb) k left join ${table} t on ${same}
    where t.${key[0]} is null or l.digest <> row_digest(to_jsonb(t))`
}

/** The plans that entries after a place in the log speak of, each with its undo or its parent: all that a checker can judge differently than before. */
export function plansSince(seq: number): string {
  return `with fresh as materialized (select split_part(what, '-', 1) as subject, body -> 'key' as key from audit_entry where seq > ${seq}),
      touched as materialized (
        select (key ->> 'id')::uuid as id from fresh where subject = 'plan'
        union select r.plan_id from fresh join request r on r.id = (key ->> 'id')::uuid where subject = 'request'
        union select r.plan_id from fresh join request r on r.id = (key ->> 'request_id')::uuid where subject in ('presentation', 'vote')
        union select a.plan_id from fresh join authorisation a on a.id = (key ->> 'id')::uuid where subject = 'authorisation'
        union select x.plan_id from fresh join execution x on x.id = (key ->> 'execution_id')::uuid where subject in ('execution_event', 'undo_waived')
      )
    select id from touched
    union select p.undo_of from touched join plan p on p.id = touched.id where p.undo_of is not null
    union select u.id from touched join plan u on u.undo_of = touched.id`
}

/** What should have moved on by now: a reason to page, not a broken promise. Pages are left out: one about a page would make the next. */
export const OVERDUE = `
  select a.id::text as subject, 'was authorised over 60 s ago and nobody claimed it' as words from authorisation a
    left join request r on r.id = a.request_id left join undo_waived w on w.execution_id = a.parent_execution_id
    where a.at < clk() - interval '60 seconds' and coalesce(r.state, 'authorised') = 'authorised' and w.execution_id is null
      and not exists (select 1 from execution x where x.authorisation_id = a.id)
  union all select x.id::text, 'is ' || x.state || ' for over 5 minutes' from execution x
    where x.state in ('sent', 'unknown') and (select max(e.at) from execution_event e where e.execution_id = x.id) < clk() - interval '5 minutes'
  union all select distinct 'notices', case when o.dead_at is null then 'are unsent for over 5 minutes' else 'were given up since yesterday' end from outbox o
    where o.done_at is null and o.topic = 'notice' and coalesce(o.dead_at > clk() - interval '1 day', o.at < clk() - interval '5 minutes')`
