import type { Principal } from '../domain/principal.ts'
import { Refusal } from '../domain/refusal.ts'
import type { PeopleStore } from '../ports.ts'

/** @throws Refusal not-authorised when the person is no responder of the environment */
export async function demandResponder(people: Pick<PeopleStore, 'may'>, by: Principal, environment: string): Promise<void> {
  if (await people.may(by.id, 'responder', environment)) return
  throw new Refusal('not-authorised', `It takes the role responder in ${environment}.`, { role: 'responder', environment })
}
