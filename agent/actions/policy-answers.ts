import type { Plan } from '../domain/plan.ts'
import { type Role, roleAtLeast } from '../domain/principal.ts'
import { evaluate, type PolicyFacts } from '../policy/evaluate.ts'
import { CARDS_AN_HOUR } from '../policy/gates.ts'
import type { Policy } from '../policy/rules.ts'
import type { PeopleStore } from '../ports.ts'
import type { Topology } from '../topology/inventory.ts'
import type { CatalogEntry } from './catalog.ts'
import type { Candidate, PolicyAnswer } from './propose.ts'
import type { Objection } from './recheck.ts'

export interface PolicyAnswersDeps {
  /** The policy that holds now; null when there is none: then everything is denied. */
  policy(): Promise<Policy | null>
  people: Pick<PeopleStore, 'list'>
  /** People who were asked so often within the last hour about what could wait. */
  askedOften(times: number): Promise<readonly string[]>
  topology: Topology
}

export interface PolicyAnswers {
  /** What the policy says of a candidate, with everything it may depend on read now. */
  answer(candidate: Candidate): Promise<PolicyAnswer>
  /** Whether the policy as it is now still asks what the plan asked; null when it does. People, freezes and stops are the database's to check. */
  objection(plan: Plan, entry: CatalogEntry | null): Promise<Objection | null>
}

const UNREADABLE = 'the policy cannot be read, and without it nothing is allowed'
const ENOUGH_PEOPLE = 100

export function createPolicyAnswers({ policy: inForce, people, askedOften, topology }: PolicyAnswersDeps): PolicyAnswers {
  return {
    async answer(candidate) {
      const policy = await inForce()
      if (policy === null) return { decide: 'deny', code: 'policy-denied', reasons: [UNREADABLE] }
      const { incident, entry, observation, parameters, requester } = candidate
      const [all, inventory, hurried] = await Promise.all([
        people.list(),
        topology.inventory(),
        candidate.canWait ? askedOften(CARDS_AN_HOUR) : null,
      ])
      const inEnvironment = inventory.workloads.filter(({ environment }) => environment === incident.environment)
      const decision = evaluate(policy, {
        ...factsOf(entry, { ...incident, service: observation.target.name }),
        requester,
        hurried,
        holders: (role) => all.filter((person) => person.active && holds(person.roles, role)).map(({ id }) => id),
        gates: {
          replicas: observation.replicas,
          fleet: inventory.missing.length > 0 ? null : inEnvironment.reduce((sum, { desiredReplicas }) => sum + desiredReplicas, 0),
          wantedReplicas: typeof parameters['replicas'] === 'number' ? parameters['replicas'] : null,
          corroborated: requester === null ? candidate.corroborated : null,
        },
      })
      return decision.decide === 'ask' ? decision : { decide: 'deny', code: decision.code, reasons: decision.reasons }
    },

    async objection(plan, entry) {
      const policy = await inForce()
      if (policy === null) return { code: 'policy-denied', words: UNREADABLE }
      if (entry === null) return null
      const { environment, name } = plan.target
      const decision = evaluate(policy, {
        ...factsOf(entry, { environment, service: name, severity: plan.severity as Candidate['incident']['severity'] }),
        requester: plan.requester,
        hurried: null,
        holders: () => Array.from({ length: ENOUGH_PEOPLE }, (_, index) => `person ${index}`),
        gates: { replicas: 0, fleet: 0, wantedReplicas: null, corroborated: null },
      })
      if (decision.decide === 'deny') return { code: decision.code, words: decision.reasons.join('; ') }
      return askedLess(plan.approval, decision.asking)
    },
  }
}

function factsOf(
  entry: CatalogEntry,
  incident: Pick<Candidate['incident'], 'environment' | 'service' | 'severity'>,
): Omit<PolicyFacts, 'requester' | 'holders' | 'hurried' | 'gates'> {
  const { environment, service, severity } = incident
  return { action: entry.action.definition, environment, service, severity }
}

function askedLess(
  asked: Plan['approval'],
  now: { needed: number; role: Plan['approval']['role']; typed: boolean; requesterMayApprove: boolean; rule: string },
): Objection | null {
  if (now.needed > asked.needed)
    return { code: 'policy-denied', words: `the rule "${now.rule}" now asks ${now.needed} people instead of ${asked.needed}` }
  if (!roleAtLeast(asked.role, now.role)) return { code: 'policy-denied', words: `the rule "${now.rule}" now asks the role ${now.role}` }
  if (now.typed && asked.confirm === null)
    return { code: 'policy-denied', words: `the rule "${now.rule}" now asks for a typed confirmation` }
  if (asked.requesterMayApprove && !now.requesterMayApprove)
    return { code: 'policy-denied', words: `by the rule "${now.rule}" nobody approves what they asked for any more` }
  return null
}

function holds(roles: readonly Role[], wanted: Role): boolean {
  return roles.some((role) => roleAtLeast(role, wanted))
}
