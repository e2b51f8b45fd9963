import type { ConfiguredPerson } from '../../../bot/config.ts'
import type { OpenDatabase } from '../../../storage/database.ts'
import { type EdgeOptions, openEdge, type RunningEdge } from '../edge/edge-harness.ts'
import { CLIENT } from './provider.ts'

/** Alice approves, Bob looks on; both are known at the provider by an id of its own. */
export function peopleAt(issuer: string): ConfiguredPerson[] {
  const at = (id: string) => [{ surface: 'console' as const, tenant: issuer, externalId: id }]
  return [
    { id: 'alice', name: 'Alice', roles: ['approver'], environments: null, links: at('sub-alice') },
    { id: 'bob', name: 'Bob', roles: ['viewer'], environments: null, links: at('sub-bob') },
  ]
}

/** The edge as it is where other machines reach it, with people who sign in at this provider. */
export async function openSigningEdge(
  database: OpenDatabase,
  at: { issuer: string; port: number },
  { environment, ...options }: EdgeOptions = {},
): Promise<RunningEdge> {
  return await openEdge(database, {
    people: peopleAt(at.issuer),
    environment: {
      PORT: String(at.port),
      OIDC_ISSUER: at.issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      STEADYHAND_API_KEYS: 'k'.repeat(32),
      STEADYHAND_WEBHOOK_TOKEN: 't'.repeat(32),
      ...environment,
    },
    ...options,
  })
}
