import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { type Identity, personOf } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { listOf } from './lists.ts'
import { personSchema, showPerson, timeSchema } from './shapes.ts'
import { textSchema } from './text.ts'

export interface SessionApiDeps {
  identity: Pick<Identity, 'openByName' | 'close'>
  agent: Pick<Agent, 'people'>
}

const openedSchema = z.object({ person: personSchema, expiresAt: timeSchema })
const currentSchema = z.object({ person: personSchema })

export function sessionEndpoints({ identity, agent }: SessionApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/api/v1/session',
      name: 'openSession',
      summary:
        'Signs in as one of the named people, while nothing real can be changed: on loopback, without tokens and without real targets.',
      access: 'open',
      body: z.strictObject({ person: textSchema(64, 1) }),
      answers: { 200: { words: 'Signed in; the cookie is set.', schema: openedSchema } },
      problems: ['named-sessions-off', 'unknown-person'],
      async handle({ body }) {
        const { person, cookie, expiresAt } = await identity.openByName(body.person)
        return { body: { person: showPerson(person), expiresAt: expiresAt.toISOString() }, headers: { 'set-cookie': cookie } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/session',
      name: 'getSession',
      summary: 'Who is signed in.',
      access: 'caller',
      answers: { 200: { words: 'The person.', schema: currentSchema } },
      problems: ['no-person'],
      async handle({ caller }) {
        if (caller.kind === 'program') throw new HttpProblem('no-person')
        return { body: { person: showPerson(personOf(caller).person) } }
      },
    }),
    endpoint({
      method: 'delete',
      path: '/api/v1/session',
      name: 'closeSession',
      summary: 'Signs out.',
      access: 'caller',
      answers: { 204: { words: 'Signed out; the cookie is cleared.', schema: null } },
      async handle({ context }) {
        const { cookie } = await identity.close(context.req.header('cookie'))
        return { status: 204, headers: { 'set-cookie': cookie } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/people',
      name: 'listPeople',
      summary: 'The people Steadyhand knows, with their roles.',
      access: 'caller',
      answers: { 200: { words: 'All of them.', schema: listOf(personSchema) } },
      async handle() {
        const people = await agent.people()
        return { body: { items: people.filter(({ kind, active }) => kind === 'human' && active).map(showPerson), next: null } }
      },
    }),
  ]
}
