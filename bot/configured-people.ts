import { EVERYWHERE } from '../agent/domain/power.ts'
import type { PeopleStore } from '../agent/ports.ts'
import type { Integration } from '../integrations/contract.ts'
import { CONSOLE_PLACE } from './api/approvals.ts'
import { type ConfiguredPerson, exposure, LOCAL, type Settings } from './config.ts'
import { actorOf } from './identity.ts'

/** Names are for trying things out: on this machine, without tokens or an identity provider, and only while nothing but the local target can be acted on. */
export function mayUseNames(
  settings: Pick<Settings, 'host' | 'publicUrl' | 'hosts' | 'api' | 'webhooks' | 'oidc'>,
  integrations: readonly Pick<Integration, 'actions' | 'environments'>[],
): boolean {
  const real = integrations.some(({ actions = [], environments }) => actions.length > 0 && environments.some((name) => name !== LOCAL))
  return (
    exposure(settings) === null && settings.oidc === null && settings.api.keys.length === 0 && settings.webhooks.token === null && !real
  )
}

/** The configured people as rows. While names may be used, each has the account of that name at this console; otherwise it is revoked. */
export function peopleRows(people: readonly ConfiguredPerson[], namedPeople: boolean): Parameters<PeopleStore['sync']>[0] {
  return people.map(({ environments, links, ...person }) => ({
    ...person,
    environments: environments ?? [EVERYWHERE],
    links: namedPeople ? [...links, actorOf(person.id)] : links,
  }))
}

/** Where the console shows its cards: to the people of this machine, and to those who sign in at the identity provider. A click counts from there only. */
export function consolePresentations({ oidc }: Pick<Settings, 'oidc'>): { surface: 'console'; tenant: string; place: string }[] {
  return [LOCAL, ...(oidc ? [oidc.issuer] : [])].map((tenant) => ({ surface: 'console', tenant, place: CONSOLE_PLACE }))
}
