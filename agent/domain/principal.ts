/** Where a person can be known from. The console is a surface like the chats: its links are made by configuration or OIDC sign-in. */
export const SURFACES = ['slack', 'teams', 'console'] as const
export type Surface = (typeof SURFACES)[number]

/** From least to most: each role may do what the ones before it may. */
export const ROLES = ['viewer', 'responder', 'approver', 'admin'] as const
export type Role = (typeof ROLES)[number]

export function roleAtLeast(held: Role, wanted: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(wanted)
}

/** A person or a service. Only people vote, and quorum counts people, not accounts. */
export interface Principal {
  id: string
  kind: 'human' | 'service'
  name: string
  active: boolean
}

/** A principal with the roles they hold in some environment, and those they hold in every one. */
export interface RoleHolder extends Principal {
  roles: Role[]
  everywhere: Role[]
}

/** An account on one surface, deliberately tied to a principal; never found by e-mail address or display name. */
export interface IdentityLink {
  surface: Surface
  tenant: string
  externalId: string
  principalId: string
}

/** The account that clicked, as the verified delivery names it. */
export type Actor = Pick<IdentityLink, 'surface' | 'tenant' | 'externalId'>
