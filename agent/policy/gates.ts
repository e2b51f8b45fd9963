import type { RefusalCode } from '../domain/refusal.ts'

/** No action touches more than this share of a fleet … */
export const FLEET_SHARE = 0.1
/** … of more than this many replicas; in a smaller one a single service is already more. */
export const SMALL_FLEET = 20
/** No scaling to more than this many times the replicas there are. */
export const SCALE_FACTOR = 2

/** Who is asked more often within an hour clicks without reading; what can wait is not asked then. */
export const CARDS_AN_HOUR = 6

/** What the gates look at; numbers come from the platform, never from text. */
export interface GateFacts {
  /** Replicas of the target that the action touches, and of all targets of its environment; null when not known. */
  replicas: number
  fleet: number | null
  /** Replicas the target is to have, for actions that set them. */
  wantedReplicas: number | null
  /** People who hold the role and are not ruled out. */
  approvers: number
  /** Those of them who were not asked `CARDS_AN_HOUR` times within the last hour; null where it cannot wait, or somebody asked for it. */
  unhurried: number | null
  /** Two independent sources, one out of an outsider's reach; null when a person named the action, who then answers for it. */
  corroborated: boolean | null
}

export interface GateFailure {
  gate: 'fleet-share' | 'scale-factor' | 'approvers' | 'attention' | 'corroboration'
  code: RefusalCode
  words: string
}

/** What stands in the way whatever the rules say; empty when nothing does. What is not known stands in the way. Pure. */
export function failedGates(facts: GateFacts, needed: number): GateFailure[] {
  return [...fleetShare(facts), ...scaleFactor(facts), ...approvers(facts, needed), ...attention(facts, needed), ...corroboration(facts)]
}

function fleetShare({ replicas, fleet }: GateFacts): GateFailure[] {
  if (fleet === null) return [deny('fleet-share', 'how large the fleet is cannot be read, so its share cannot be bounded')]
  if (fleet <= SMALL_FLEET || replicas <= fleet * FLEET_SHARE) return []
  return [deny('fleet-share', `${replicas} of ${fleet} replicas are more than ${FLEET_SHARE * 100} % of the fleet`)]
}

function scaleFactor({ replicas, wantedReplicas }: GateFacts): GateFailure[] {
  if (wantedReplicas === null || wantedReplicas <= Math.max(1, replicas) * SCALE_FACTOR) return []
  return [deny('scale-factor', `${wantedReplicas} replicas are more than ${SCALE_FACTOR} times the ${replicas} there are`)]
}

function approvers({ approvers: count }: GateFacts, needed: number): GateFailure[] {
  if (count >= needed) return []
  const words = count === 0 ? 'nobody who may approve is left' : `${needed} people have to approve and only ${count} may`
  return [{ gate: 'approvers', code: 'nobody-may-approve', words }]
}

function attention({ approvers: count, unhurried }: GateFacts, needed: number): GateFailure[] {
  if (unhurried === null || unhurried >= needed || count < needed) return []
  return [
    { gate: 'attention', code: 'asked-too-often', words: `${CARDS_AN_HOUR} requests of the last hour are the most that can be read well` },
  ]
}

function corroboration({ corroborated }: GateFacts): GateFailure[] {
  if (corroborated !== false) return []
  return [deny('corroboration', 'the diagnosis rests on one source, or only on text that outsiders can write')]
}

function deny(gate: GateFailure['gate'], words: string): GateFailure {
  return { gate, code: 'policy-denied', words }
}
