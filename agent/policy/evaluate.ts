import type { Severity } from '../domain/incident.ts'
import type { Plan } from '../domain/plan.ts'
import type { RefusalCode } from '../domain/refusal.ts'
import { failedGates, type GateFacts } from './gates.ts'
import type { AskRule, Policy, Rule } from './rules.ts'

/** The part of an action's definition that no rule can loosen. */
export interface ActionBounds {
  kind: string
  reversibility: Plan['reversibility']
  role: Plan['approval']['role']
  minNeeded: number
  requesterMayApprove: boolean
  stepUp: 'none' | 'typed'
  maxTtlSeconds: number
  minCooldownSeconds: number
}

/** Everything a decision may depend on. */
export interface PolicyFacts {
  action: ActionBounds
  environment: string
  service: string
  severity: Severity
  /** The person who named the action; null when the agent proposes it. */
  requester: string | null
  /** Active people who hold at least `role` in the environment. */
  holders: (role: Plan['approval']['role']) => readonly string[]
  gates: Omit<GateFacts, 'approvers' | 'unhurried'>
  /** People who were asked too often lately; null where that stands in nobody's way. */
  hurried: readonly string[] | null
}

/** What is asked, after the rule and the action's own bounds were put together: always the stricter of both. */
export interface Asking {
  rule: string
  role: Plan['approval']['role']
  needed: number
  requesterMayApprove: boolean
  ttlSeconds: number
  cooldownSeconds: number
  /** Whether the target's name has to be typed. */
  typed: boolean
}

export type PolicyDecision =
  | { decide: 'ask'; asking: Asking; reasons: string[] }
  | { decide: 'deny'; code: RefusalCode; rule: string | null; reasons: string[] }

const IRREVERSIBLE_MIN_PEOPLE = 2
const IRREVERSIBLE_MAX_TTL_SECONDS = 600

/** Ask or deny, with every reason. Nothing is allowed that no rule asks for; there is no "allow without asking". Pure. */
export function evaluate(policy: Policy, facts: PolicyFacts): PolicyDecision {
  const rule = policy.rules.find((each) => matches(each, facts))
  if (!rule)
    return {
      decide: 'deny',
      code: 'policy-denied',
      rule: null,
      reasons: ['no rule of the policy matches, and what no rule asks for is denied'],
    }
  if (rule.decide === 'deny') {
    return { decide: 'deny', code: 'policy-denied', rule: rule.name, reasons: [rule.reason ?? `the rule "${rule.name}" denies it`] }
  }
  const asking = askingOf(rule, facts)
  const people = eligible(facts, asking)
  const unhurried = facts.hurried && people.filter((person) => !facts.hurried?.includes(person)).length
  const failures = failedGates({ ...facts.gates, approvers: people.length, unhurried }, asking.needed)
  const [first] = failures
  if (first) return { decide: 'deny', code: first.code, rule: rule.name, reasons: failures.map(({ words }) => words) }
  return { decide: 'ask', asking, reasons: reasonsOf(asking, facts) }
}

function matches({ when }: Rule, { action, environment, service, severity }: PolicyFacts): boolean {
  return (
    fits(when.action, action.kind) &&
    fits(when.environment, environment) &&
    fits(when.service, service) &&
    (when.severity?.includes(severity) ?? true) &&
    (when.reversibility?.includes(action.reversibility) ?? true)
  )
}

function fits(patterns: readonly string[] | undefined, name: string): boolean {
  return patterns?.some((pattern) => matchesPattern(pattern, name)) ?? true
}

/** `*` stands for any characters, none included; everything else for itself. Linear in the length of both. */
export function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.split('*')
  const [head = '', ...rest] = parts
  const tail = rest.pop()
  if (tail === undefined) return name === pattern
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false
  let at = head.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= name.length - tail.length
}

function askingOf(rule: AskRule, { action }: PolicyFacts): Asking {
  const irreversible = action.reversibility === 'irreversible'
  return {
    rule: rule.name,
    role: rule.role === 'admin' || action.role === 'admin' ? 'admin' : 'approver',
    needed: Math.max(rule.needed, action.minNeeded, irreversible ? IRREVERSIBLE_MIN_PEOPLE : 1),
    requesterMayApprove: rule.requesterMayApprove && action.requesterMayApprove && action.reversibility === 'reversible',
    ttlSeconds: Math.min(Math.round(rule.ttlMinutes * 60), action.maxTtlSeconds, irreversible ? IRREVERSIBLE_MAX_TTL_SECONDS : 3_600),
    cooldownSeconds: Math.max(rule.cooldownSeconds, action.minCooldownSeconds),
    typed: rule.confirm === 'target' || action.stepUp === 'typed' || irreversible,
  }
}

/** Who may approve: whoever holds the role, but for the requester where that is ruled out. */
function eligible({ holders, requester }: PolicyFacts, { role, requesterMayApprove }: Asking): string[] {
  return [...new Set(holders(role))].filter((person) => requesterMayApprove || person !== requester)
}

function reasonsOf(asking: Asking, { action, requester }: PolicyFacts): string[] {
  const people = asking.needed === 1 ? `one person with the role ${asking.role}` : `${asking.needed} people with the role ${asking.role}`
  return [
    `the rule "${asking.rule}" asks ${people}; the action is ${action.reversibility}`,
    ...(asking.requesterMayApprove && requester !== null ? ['whoever asked for it may approve it, because it is reversible'] : []),
    ...(asking.typed ? ['the name of the target has to be typed'] : []),
  ]
}
