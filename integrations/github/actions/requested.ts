import type { ActionDefinition } from '../../ports/action.ts'

/** What holds of every change that people still have to merge: taking it back closes it, and nothing that runs has changed. */
export const REQUESTED = {
  reversibility: 'reversible',
  risk: 'caution',
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: true,
  stepUp: 'none',
  maxTtlSeconds: 1_800,
  minCooldownSeconds: 60,
  retry: 'never',
  probeHorizonSeconds: 30,
} as const satisfies Partial<ActionDefinition>
