import type { PeopleStore } from '../agent/ports.ts'
import type { Integration } from '../integrations/contract.ts'
import { type ConfiguredPerson, exposure, LOCAL, type Settings } from './config.ts'
import { actorOf } from './identity.ts'

/** Every environment, as the database writes it. */
const EVERYWHERE = '*'

/** Names are for trying things out: on this machine, without tokens, and only while nothing but the local target can be acted on. */
export function mayUseNames(
  settings: Pick<Settings, 'host' | 'publicUrl' | 'hosts' | 'api' | 'webhooks'>,
  integrations: readonly Pick<Integration, 'actions' | 'environments'>[],
): boolean {
  const real = integrations.some(({ actions = [], environments }) => actions.length > 0 && environments.some((name) => name !== LOCAL))
  return exposure(settings) === null && settings.api.keys.length === 0 && settings.webhooks.token === null && !real
}

/** The configured people as rows. While names may be used, each has the account of that name at this console; otherwise it is revoked. */
export function peopleRows(people: readonly ConfiguredPerson[], namedPeople: boolean): Parameters<PeopleStore['sync']>[0] {
  return people.map(({ environments, links, ...person }) => ({
    ...person,
    environments: environments ?? [EVERYWHERE],
    links: namedPeople ? [...links, actorOf(person.id)] : links,
  }))
}
