import { randomUUID } from 'node:crypto'
import { parse } from 'yaml'
import { sealChange } from './domain/power.ts'
import { type Policy, parsePolicy, policyDigest } from './policy/rules.ts'
import type { PolicyStore } from './ports.ts'

/** The policy file: its text and what YAML made of it, or why it could not be read. */
export type PolicySource = { text: string; value: unknown } | { problem: string }

/** The policy that decides now. It is what the database says that holds, which may be older than the file while two admins have not confirmed that. */
export interface PolicyInForce {
  /** Null when there is none that can be read: then nothing is allowed. */
  now(): Promise<{ policy: Policy | null; digest: string }>
  /** What is wrong with the file, one phrase each; while anything is, Steadyhand only observes. */
  problems(): readonly string[]
  /** Offers the file as it was read. Returns words when it waits for two admins, else null. */
  offer(): Promise<string | null>
}

const MAX_ALIASES = 20

export function createPolicyInForce({ source, store }: { source: PolicySource; store: PolicyStore }): PolicyInForce {
  const file = readFile(source)
  const known = new Map<string, Policy | null>([[file.digest, file.policy]])
  const policyOf = (digest: string, text: string): Policy | null => {
    const policy = known.get(digest) ?? policyIn(text)
    known.set(digest, policy)
    return policy
  }
  return {
    problems: () => file.problems,
    async now() {
      // A file that cannot be read stops everything, whatever held before it.
      const held = file.policy === null ? null : await store.inForce()
      return held ? { digest: held.digest, policy: policyOf(held.digest, held.text) } : file
    },
    async offer() {
      if (file.policy === null || 'problem' in source) return null
      const { digest } = file
      const ask = (before: string) => sealChange(randomUUID(), { kind: 'policy', policy: digest, before })
      const standing = await store.offer({ digest, text: source.text, ask })
      if (standing === 'in-force') return null
      return `the policy file changed (${digest.slice(0, 12)}) and waits for two admins to confirm it; until then the one before it holds`
    },
  }
}

/** What is wrong with a policy file, one phrase each; empty when it decides. */
export function problemsOfPolicy(source: PolicySource): readonly string[] {
  return readFile(source).problems
}

function readFile(source: PolicySource): { policy: Policy | null; digest: string; problems: readonly string[] } {
  if ('problem' in source) return { policy: null, digest: policyDigest(''), problems: [source.problem] }
  const parsed = parsePolicy(source.value)
  const digest = policyDigest(source.text)
  if (parsed.ok) return { policy: parsed.policy, digest, problems: [] }
  return { policy: null, digest, problems: parsed.problems.map((problem) => `the policy file is not valid: ${problem}`) }
}

/** One that held and cannot be read by this version allows nothing. */
function policyIn(text: string): Policy | null {
  const parsed = parsePolicy(parse(text, { maxAliasCount: MAX_ALIASES }))
  return parsed.ok ? parsed.policy : null
}
