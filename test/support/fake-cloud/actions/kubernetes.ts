import { z } from 'zod'
import type { CloudRow } from './row.ts'

const HORIZON_SECONDS = 10
const nothing = z.strictObject({})
const common = {
  risk: 'safe',
  minNeeded: 1,
  stepUp: 'none',
  retry: 'precondition',
  probeHorizonSeconds: HORIZON_SECONDS,
  maxTtlSeconds: 900,
} as const

export const KUBERNETES_ROWS: readonly CloudRow[] = [
  {
    definition: { ...common, kind: 'k8s.restart', parameters: nothing, reversibility: 'reversible' },
    pinned: ['generation'],
    wanted: () => ({}),
    change: ({ generation }) => ({ field: 'generation', from: generation ?? null, to: Number(generation) + 1 }),
    guard: ({ resourceVersion }) => ({ resourceVersion: resourceVersion ?? null }),
    tagged: true,
    isApplied: ({ restartedBy }, _step, executionId) => restartedBy === executionId,
    undo: null,
  },
  {
    definition: {
      ...common,
      kind: 'k8s.scale',
      parameters: z.strictObject({ replicas: z.int().min(1).max(20) }),
      reversibility: 'reversible',
    },
    pinned: ['replicas', 'hpaOwner'],
    wanted: ({ replicas }) => ({ replicas: (Number(replicas) % 8) + 1 }),
    change: ({ replicas }, parameters) => ({ field: 'replicas', from: replicas ?? null, to: parameters['replicas'] ?? null }),
    guard: ({ resourceVersion }) => ({ resourceVersion: resourceVersion ?? null }),
    tagged: true,
    isApplied: ({ replicas, managedBy }, { parameters }, executionId) => replicas === parameters['replicas'] && managedBy === executionId,
    undo: (seen) => ({ replicas: seen('replicas') }),
  },
  {
    definition: {
      ...common,
      kind: 'k8s.rollback',
      parameters: z.strictObject({ hash: z.string() }),
      reversibility: 'compensable',
      risk: 'caution',
    },
    pinned: ['hash'],
    wanted: ({ previous }) => ({ hash: previous ?? null }),
    change: ({ hash }, parameters) => ({ field: 'hash', from: hash ?? null, to: parameters['hash'] ?? null }),
    guard: (_state, { preconditions }) => ({ hash: preconditions[0]?.equals ?? null }),
    tagged: false,
    isApplied: ({ hash }, { parameters }) => hash === parameters['hash'],
    undo: (seen) => ({ hash: seen('hash') }),
  },
  {
    definition: { ...common, kind: 'k8s.delete-pod', parameters: nothing, reversibility: 'reversible' },
    pinned: [],
    wanted: () => ({}),
    change: ({ uid }) => ({ field: 'uid', from: uid ?? null, to: 'a new pod' }),
    guard: (_state, { target }) => ({ uid: target.uid }),
    tagged: false,
    isApplied: ({ uid }, { target }) => uid !== target.uid,
    undo: null,
  },
  {
    definition: {
      ...common,
      kind: 'argo.rollback',
      parameters: z.strictObject({ historyId: z.int() }),
      reversibility: 'compensable',
      risk: 'caution',
    },
    pinned: ['historyId', 'autoSync', 'window'],
    wanted: ({ historyId }) => ({ historyId: historyId === 2 ? 1 : 2 }),
    change: ({ historyId }, parameters) => ({ field: 'historyId', from: historyId ?? null, to: parameters['historyId'] ?? null }),
    guard: () => ({}),
    tagged: true,
    isApplied: ({ historyId, operationBy }, { parameters }, executionId) =>
      historyId === parameters['historyId'] && operationBy === executionId,
    undo: (seen) => ({ historyId: seen('historyId') }),
  },
]
