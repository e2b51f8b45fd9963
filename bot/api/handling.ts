import { z } from 'zod'
import type { Agent, Handling } from '../../agent/agent.ts'
import { ALL_FAULT_CLASSES, type FaultClass } from '../../agent/domain/fault-classes.ts'
import type { Severity } from '../../agent/domain/incident.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { VERDICTS } from '../../agent/domain/verdicts.ts'
import { LONGEST_SNOOZE_SECONDS, snoozeSeconds } from '../commands/handling.ts'
import { personOf } from '../identity.ts'
import { demand, type Permission } from '../permissions.ts'
import { HttpProblem, type ProblemCode } from '../problem.ts'
import { type Call, type Endpoint, endpoint } from './endpoint.ts'
import { idSchema } from './lists.ts'
import { incidentIdSchema, incidentSchema, timeSchema } from './shapes.ts'
import { textSchema } from './text.ts'

export interface HandlingApiDeps {
  agent: Pick<Agent, keyof Handling>
  /** The incident as it stands now. @throws HttpProblem unknown-incident */
  show(id: string): Promise<z.infer<typeof incidentSchema>>
  now: () => Date
}

const reason = textSchema(500, 1).nullish()
const ANSWER = { 200: { words: 'The incident as it stands now.', schema: incidentSchema } }
const PROBLEMS = ['no-person', 'not-human', 'not-authorised', 'unknown-incident', 'too-late'] as const satisfies ProblemCode[]

type IncidentCall<Body> = Call<z.infer<typeof idSchema>, object, Body>
type By = ReturnType<typeof personOf>['person']

/** What people do with incidents: each call does what the command of its name does. */
export function handlingEndpoints({ agent, show, now }: HandlingApiDeps): Endpoint[] {
  const act = async <Body, Done>(
    { params, body, caller }: IncidentCall<Body>,
    permission: Permission,
    how: (by: By, body: Body) => Promise<Done | null>,
  ): Promise<{ incident: z.infer<typeof incidentSchema>; done: Done }> => {
    const { person } = personOf(caller)
    demand(person.roles, permission)
    const done = await how(person, body)
    if (done === null) throw new HttpProblem('unknown-incident')
    return { incident: await show(params.id), done }
  }
  return [
    endpoint({
      ...call('resolve', "Ends an incident by a person's word, which is recorded as such. Not while an action is under way."),
      body: z.strictObject({ reason, as: z.enum(VERDICTS).nullish() }),
      answers: ANSWER,
      problems: [...PROBLEMS, 'in-flight', 'already-decided'],
      handle: async (call) => ({
        body: (await act(call, 'resolve', (by, { reason, as }) => agent.resolve(call.params.id, by, reason ?? null, as ?? null))).incident,
      }),
    }),
    endpoint({
      ...call('take', 'A person looks after it: nothing more is proposed in it. `over` takes it from somebody else, `back` gives it back.'),
      body: z.strictObject({ how: z.enum(['take', 'over', 'back']).default('take') }),
      answers: ANSWER,
      problems: [...PROBLEMS, 'already-taken', 'invalid-parameters'],
      handle: async (call) => ({ body: (await act(call, 'take', (by, { how }) => agent.take(call.params.id, by, how))).incident }),
    }),
    endpoint({
      ...call('snooze', 'Leaves it alone for a while, at most seven days: `for` as people say it ("2h"), or `until`; both null wake it.'),
      body: z.strictObject({ for: textSchema(10, 1).nullish(), until: timeSchema.nullish(), reason }),
      answers: ANSWER,
      problems: [...PROBLEMS, 'invalid-parameters'],
      handle: async (call) => ({
        body: (await act(call, 'snooze', (by, body) => agent.snooze(call.params.id, by, endOfSnooze(body, now()), body.reason ?? null)))
          .incident,
      }),
    }),
    endpoint({
      ...call('severity', 'How bad it is by the word of a person; 1 is the worst.'),
      body: z.strictObject({ severity: z.int().min(1).max(4), reason }),
      answers: ANSWER,
      problems: [...PROBLEMS, 'invalid-parameters'],
      handle: async (call) => ({
        body: (
          await act(call, 'severity', (by, { severity, reason }) =>
            agent.setSeverity(call.params.id, by, severity as Severity, reason ?? null),
          )
        ).incident,
      }),
    }),
    endpoint({
      ...call('merge', 'Ends it as a part of another incident, which gets its alerts.'),
      body: z.strictObject({ into: incidentIdSchema }),
      answers: { 200: { words: 'The incident that ended, and where it went.', schema: incidentSchema.extend({ into: z.string() }) } },
      problems: [...PROBLEMS, 'in-flight', 'invalid-parameters', 'already-decided'],
      async handle(call) {
        const { incident } = await act(call, 'merge', (by, { into }) => agent.merge(call.params.id, into, by))
        return { body: { ...incident, into: call.body.into } }
      },
    }),
    endpoint({
      ...call('split', 'Gives alerts, by name, service or key, an incident of their own.'),
      body: z.strictObject({ alerts: z.array(textSchema(512, 1)).min(1).max(100) }),
      answers: {
        200: { words: 'The incident they left, and the id of the new one.', schema: incidentSchema.extend({ opened: z.string() }) },
      },
      problems: [...PROBLEMS, 'invalid-parameters'],
      async handle(call) {
        const { incident, done } = await act(call, 'split', (by, { alerts }) => agent.split(call.params.id, alerts, by))
        return { body: { ...incident, opened: done.opened.id } }
      },
    }),
    endpoint({
      ...call('feedback', 'Whether the diagnosis was right, and what it really was. The last word of each person counts.'),
      body: z.strictObject({
        verdict: z.enum(['right', 'wrong']),
        class: z.enum(ALL_FAULT_CLASSES).nullish(),
        component: textSchema(200, 1).nullish(),
        words: textSchema(500, 1).nullish(),
      }),
      answers: ANSWER,
      problems: [...PROBLEMS, 'invalid-parameters'],
      handle: async (call) => ({
        body: (await act(call, 'feedback', (by, said) => agent.giveFeedback(call.params.id, by, feedbackOf(said)))).incident,
      }),
    }),
  ]
}

function call<Name extends string>(name: Name, summary: string) {
  const path = `/api/v1/incidents/{id}/${name}`
  return { method: 'post', path, name: `${name}Incident`, summary, access: 'caller', params: idSchema } as const
}

/** @throws Refusal invalid-parameters */
function endOfSnooze(
  { for: length, until }: { for?: string | null | undefined; until?: string | null | undefined },
  now: Date,
): Date | null {
  if (typeof length === 'string' && typeof until === 'string')
    throw new Refusal('invalid-parameters', 'Say how long or until when, not both.')
  if (typeof length === 'string') return new Date(now.getTime() + snoozeSeconds(length) * 1_000)
  if (typeof until !== 'string') return null
  const end = new Date(until)
  const seconds = (end.getTime() - now.getTime()) / 1_000
  if (seconds > 0 && seconds <= LONGEST_SNOOZE_SECONDS) return end
  throw new Refusal('invalid-parameters', 'The end has to be in the future, and at most seven days away.')
}

interface SaidFeedback {
  verdict: 'right' | 'wrong'
  class?: FaultClass | null | undefined
  component?: string | null | undefined
  words?: string | null | undefined
}

/** @throws Refusal invalid-parameters */
function feedbackOf({ verdict, class: cause = null, component = null, words = null }: SaidFeedback) {
  if (verdict === 'right' && (cause !== null || component !== null))
    throw new Refusal('invalid-parameters', 'A diagnosis that was right was nothing else.')
  return { verdict, class: cause, component, words }
}
