import { canonicalJson, digestOf } from './canonical-json.ts'
import type { Role, Surface } from './principal.ts'

/** Every environment, as grants write it. */
export const EVERYWHERE = '*'

/** A change of who may what. Giving takes two admins; taking, at once, one. */
export type PowerChange =
  | { kind: 'grant'; person: string; role: Role; environment: string }
  /** Without a role all of them, without an environment everywhere. */
  | { kind: 'revoke'; person: string; role: Role | null; environment: string | null }
  /** `name` for a person who is not known yet. */
  | { kind: 'link'; person: string; name: string | null; surface: Surface; tenant: string; account: string }
  | { kind: 'unlink'; surface: Surface; tenant: string; account: string }
  /** Digests of the policy's text and of the one before it. Asked by the host alone, whose file it is. */
  | { kind: 'policy'; policy: string; before: string | null }

/** The exact bytes that admins are shown and confirm. */
export interface SealedChange {
  id: string
  canonical: string
  digest: string
}

/** A change that was asked for, as it stands. */
export interface AskedChange extends SealedChange {
  change: PowerChange
  /** 'host' for a policy file that changed. */
  askedBy: string
  /** Admins other than `askedBy` who confirmed it. */
  confirmedBy: string[]
  /** Confirmations that are needed in all. */
  needed: number
  state: 'pending' | 'done' | 'withdrawn' | 'expired'
  expiresAt: Date
}

/** Hex digits of a digest that people type to confirm what they were shown: they name the change and its bytes at once. */
export const CODE_LENGTH = 12

export function sealChange(id: string, change: PowerChange): SealedChange {
  const canonical = canonicalJson({ id, ...change })
  return { id, canonical, digest: digestOf(canonical) }
}

export function codeOf({ digest }: Pick<SealedChange, 'digest'>): string {
  return digest.slice(0, CODE_LENGTH)
}
