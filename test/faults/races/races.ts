import { sql } from 'kysely'
import { cancels, claims, clicks, executes, expires, keeps, revokes, stops, takesOver, undoes } from './contenders.ts'
import type { Facts } from './facts.ts'
import { ended, type Race, type Round, type Verdict, verdict } from './race.ts'

const PREPARED_TOGETHER = 20

const NOTHING: Facts = {
  state: 'gone',
  approvals: 0,
  denials: 0,
  authorisations: 0,
  late: 0,
  executions: 0,
  sent: [],
  aborted: 0,
  undoAuthorisations: 0,
  waived: [],
}

const first = ([facts]: readonly Facts[]): Facts => facts ?? NOTHING
const sum = (facts: readonly Facts[], of: (one: Facts) => number): number => facts.reduce((total, one) => total + of(one), 0)

/** Nothing may have been sent after the moment that a contender noted. */
function noneSentAfter(went: string, facts: readonly Facts[], noted: ReadonlyMap<string, number>): Verdict {
  const returned = noted.get('returned')
  const late = facts.flatMap(({ sent }) => sent).filter((place) => place > (returned ?? 0))
  return verdict(
    went,
    [returned !== undefined, 'the change never returned'],
    [late.length === 0, `sent at ${late} of the audit log, after the change had returned at ${returned}`],
    [facts.every(({ sent }) => sent.length <= 1), 'sent twice'],
  )
}

/** Every race of the kernel, with its oracle. */
export const RACES: readonly Race[] = [
  {
    name: 'double click',
    claim: 'one person who clicks twice, each click delivered twice, is one vote and one authorisation',
    plans: [{}],
    voters: [],
    steps: [],
    together: PREPARED_TOGETHER,
    contenders: ['1', '2', '1', '2'].map((key) => clicks('ada', 'approve', key)),
    judge(facts, outcomes) {
      const { state, approvals, authorisations } = first(facts)
      return verdict(
        `${ended(outcomes, 'approve', 'done')} of 4 told that it counts`,
        [approvals === 1, `${approvals} votes of one person`],
        [authorisations === 1 && state === 'authorised', `${state} with ${authorisations} authorisations`],
        [ended(outcomes, 'approve', 'done') >= 1, 'nobody was told that it counts'],
      )
    },
  },
  {
    name: 'two approvers at once',
    claim: 'two votes that are needed, each delivered twice at the same moment, are exactly one authorisation',
    plans: [{ needed: 2 }],
    voters: [],
    steps: [],
    together: PREPARED_TOGETHER,
    contenders: ['ada', 'ben', 'ada', 'ben'].map((person) => clicks(person, 'approve', '1', [])),
    judge(facts) {
      const { state, approvals, authorisations } = first(facts)
      return verdict(
        'authorised once',
        [approvals === 2, `${approvals} votes of two people`],
        [authorisations === 1 && state === 'authorised', `${state} with ${authorisations} authorisations`],
      )
    },
  },
  {
    name: 'deny against approve',
    claim: 'whoever is first decides: a request is denied or authorised, never both',
    plans: [{}],
    voters: [],
    steps: [],
    together: PREPARED_TOGETHER,
    contenders: [clicks('ada', 'approve', '1'), clicks('ben', 'deny', '1'), clicks('cleo', 'approve', '1'), clicks('max', 'deny', '1')],
    judge(facts, outcomes) {
      const { state, approvals, denials, authorisations } = first(facts)
      const counted =
        state === 'authorised'
          ? approvals === 1 && denials === 0 && authorisations === 1
          : approvals === 0 && denials === 1 && authorisations === 0
      return verdict(
        state,
        [state === 'authorised' || state === 'denied', `ended ${state}`],
        [counted, `${state} with ${approvals} approvals, ${denials} denials, ${authorisations} authorisations`],
        [outcomes.filter(({ ended: end }) => end === 'done').length === 1, 'two were told that they decided'],
      )
    },
  },
  {
    name: 'cancel against claim and send',
    claim: 'a cancel that was accepted is never followed by a send, and one that came too late says so',
    plans: [{}],
    voters: ['ada'],
    steps: [],
    together: PREPARED_TOGETHER,
    contenders: [executes(['cancelled']), cancels('ben'), cancels('cleo')],
    judge(facts, outcomes) {
      const { state, sent } = first(facts)
      const cancelled = ended(outcomes, 'cancel', 'done')
      return verdict(
        cancelled === 1 ? 'cancelled' : 'sent',
        [cancelled <= 1, 'cancelled twice'],
        [(cancelled === 1) === (state === 'cancelled'), `told ${cancelled} times that it was cancelled, and is ${state}`],
        [sent.length + cancelled === 1, `sent ${sent.length} times and cancelled ${cancelled} times`],
      )
    },
  },
  {
    name: 'kill switch against send',
    claim: 'when stop has returned, no sent is written any more, whatever was claimed or intended',
    plans: ['0', '1', '2'].map((name) => ({ target: { name }, incident: name })),
    voters: ['ada'],
    steps: ['claimed', 'intent'],
    together: 1,
    contenders: [0, 1, 2].map((plan) => executes(['kill-switch'], plan)).concat(stops),
    after: async ({ arena }) => void (await arena.kernel.control.start('*', 'host', 'host')),
    judge: (facts, _, noted) => noneSentAfter(`${sum(facts, ({ sent }) => sent.length)} of 3 sent before`, facts, noted),
  },
  {
    name: 'kill switch against claim and send',
    claim: 'when stop has returned, nothing that was authorised goes on to sent',
    plans: [{}],
    voters: ['ada'],
    steps: [],
    together: 1,
    contenders: [executes(['kill-switch']), stops],
    after: async ({ arena }) => void (await arena.kernel.control.start('*', 'host', 'host')),
    judge: (facts, _, noted) => noneSentAfter(first(facts).sent.length > 0 ? 'sent before' : 'stopped', facts, noted),
  },
  {
    name: 'takeover against send',
    claim: 'when another executor has the lease, the one before writes no sent, and the new one never sends what it did not intend',
    plans: [{}],
    voters: ['ada'],
    steps: ['claimed', 'intent'],
    together: 1,
    contenders: [executes(['fenced']), takesOver],
    async after({ arena, noted }) {
      arena.kernel.epoch = noted.get('epoch') ?? 0
    },
    judge(facts, outcomes, noted) {
      if (ended(outcomes, 'take over', 'done') > 0) return { violated: 'sent by an epoch that did not write its intent' }
      return noneSentAfter(first(facts).sent.length > 0 ? 'sent before' : 'fenced', facts, noted)
    },
  },
  ...(['role_grant', 'identity_link'] as const).map((what): Race => {
    const name = what === 'role_grant' ? 'role revoked against claim and send' : 'account unlinked against claim and send'
    return {
      name,
      claim: 'when the revocation has returned, nothing that stood on that person is sent',
      plans: [{}],
      voters: ['ada'],
      steps: [],
      together: 1,
      contenders: [executes(['lost-authority']), revokes(what)],
      after: giveBack,
      judge: (facts, _, noted) => noneSentAfter(first(facts).sent.length > 0 ? 'sent before' : 'lost authority', facts, noted),
    }
  }),
  {
    name: 'undo against Keep',
    claim: 'a change is kept or its undo is authorised, once, never both',
    plans: [{}],
    voters: ['ada'],
    steps: ['claimed', 'intent', 'sent', 'succeeded', 'failed'],
    together: PREPARED_TOGETHER,
    later: 61,
    contenders: [undoes, keeps('vera'), undoes, keeps('ben')],
    judge(facts, outcomes) {
      const { undoAuthorisations, waived } = first(facts)
      return verdict(
        waived.length === 1 ? 'kept' : 'undone',
        [undoAuthorisations + waived.length === 1, `${undoAuthorisations} undos and ${waived.length} keeps`],
        [outcomes.filter(({ ended: end }) => end === 'done').length === 1, 'two were told that they decided'],
      )
    },
  },
  {
    name: 'two claimers',
    claim: 'many claims of one authorisation, and of another on the same resource, are one execution',
    plans: [{ incident: '0' }, { incident: '1' }],
    voters: ['ada'],
    steps: [],
    together: PREPARED_TOGETHER,
    contenders: [
      ...['1', '2', '3'].map((n) => claims(`claim ${n} of the first`, { plan: 0, epoch: 1 })),
      ...['1', '2'].map((n) => claims(`claim ${n} of the second`, { plan: 1, epoch: 1 })),
      claims('claim of an epoch before', { plan: 0, epoch: 0 }),
    ],
    judge(facts, outcomes) {
      const executions = sum(facts, (one) => one.executions)
      const done = outcomes.filter(({ ended: end }) => end === 'done').length
      return verdict(
        first(facts).executions === 1 ? 'the first plan' : 'the second plan',
        [executions === 1, `${executions} executions on one resource`],
        [done === 1, `${done} were told that they have it`],
        [ended(outcomes, 'claim of an epoch before', 'done') === 0, 'claimed by an epoch that is over'],
      )
    },
  },
  {
    name: 'expiry against vote',
    claim: 'a vote counts in time or not at all, and what was authorised and not begun expires as well',
    plans: [{}],
    voters: [],
    steps: [],
    together: PREPARED_TOGETHER,
    deadline: true,
    contenders: [
      clicks('ada', 'approve', '1', ['expired', 'already-decided']),
      expires,
      clicks('ben', 'approve', '1', ['expired', 'already-decided']),
    ],
    judge(facts, outcomes) {
      const { state, approvals, authorisations, late } = first(facts)
      const most = state === 'pending' ? 0 : 1
      const least = state === 'authorised' ? 1 : 0
      return verdict(
        state === 'expired' && authorisations > 0 ? 'expired after its authorisation' : state,
        [state === 'authorised' || state === 'expired' || state === 'pending', `ended ${state}`],
        [authorisations >= least && authorisations <= most, `${state} with ${authorisations} authorisations`],
        [approvals === authorisations, `${approvals} approvals and ${authorisations} authorisations`],
        [late === 0, 'authorised after its time'],
        [ended(outcomes, 'approve', 'done') === approvals, `${ended(outcomes, 'approve', 'done')} were told that it counts`],
      )
    },
  },
]

/** Ada's role and account as new rows: what was revoked stays revoked. */
async function giveBack({ arena: { db } }: Round): Promise<void> {
  await sql`insert into role_grant (principal_id, role, environment, granted_by)
    select 'ada', 'approver', 'shop', 'configuration' where not exists (select 1 from role_grant where principal_id = 'ada' and revoked_at is null)`.execute(
    db,
  )
  await sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by)
    select 'slack', 'T1', 'U-ada', 'ada', 'configuration' where not exists (select 1 from identity_link where principal_id = 'ada' and revoked_at is null)`.execute(
    db,
  )
}
