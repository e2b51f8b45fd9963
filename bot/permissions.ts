import { type Role, roleAtLeast } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'

/**
 * The least role for what people may ask for, the same on every surface. Votes, Keep, stopping and freezing are decided by the database as
 * well; cancelling, checking again and what is done with incidents by the agent, per environment; this table is what `help` and clear words are made from.
 */
export const LEAST_ROLE = {
  read: 'viewer',
  drill: 'viewer',
  cancel: 'responder',
  resolve: 'responder',
  investigate: 'responder',
  propose: 'responder',
  take: 'responder',
  snooze: 'responder',
  severity: 'responder',
  merge: 'responder',
  split: 'responder',
  feedback: 'responder',
  'check-again': 'responder',
  freeze: 'responder',
  unfreeze: 'responder',
  stop: 'approver',
  start: 'approver',
  admin: 'admin',
} as const satisfies Record<string, Role>

export type Permission = keyof typeof LEAST_ROLE

export function mayDo(roles: readonly Role[], permission: Permission): boolean {
  return roles.some((role) => roleAtLeast(role, LEAST_ROLE[permission]))
}

/** @throws Refusal not-authorised, naming the role that is needed. */
export function demand(roles: readonly Role[], permission: Permission): void {
  const role = LEAST_ROLE[permission]
  if (!mayDo(roles, permission)) throw new Refusal('not-authorised', `It takes the role ${role}.`, { role, of: null })
}
