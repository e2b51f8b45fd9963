import type { ActionDefinition } from '../../ports/action.ts'

type Tier = Omit<ActionDefinition, 'kind' | 'version' | 'description' | 'parameters' | 'reversibility'>

const COMMON = {
  role: 'approver',
  minNeeded: 1,
  stepUp: 'none',
  maxTtlSeconds: 1_800,
  minCooldownSeconds: 60,
  retry: 'precondition',
  probeHorizonSeconds: 30,
} as const

/** What keeps what runs as it is: whoever asked for it may approve it. */
export const SAFE: Tier = { ...COMMON, risk: 'safe', requesterMayApprove: true }

/** What changes what runs, or where it may run: somebody else than who asked approves it. */
export const CAUTIOUS: Tier = { ...COMMON, risk: 'caution', requesterMayApprove: false }
