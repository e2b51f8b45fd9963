import type { Principal } from '../domain/principal.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Located } from '../domain/workspace.ts'
import type { PeopleStore } from '../ports.ts'

/** @throws Refusal not-authorised when the person is no responder where it runs */
export async function demandResponder(people: Pick<PeopleStore, 'may'>, by: Principal, { service, environment }: Located): Promise<void> {
  if (await people.may(by.id, 'responder', environment)) return
  throw new Refusal('not-authorised', `It takes the role responder in ${environment}.`, { role: 'responder', of: { service, environment } })
}
