import { z } from 'zod'
import type { CloudRow } from './row.ts'

const nothing = z.strictObject({})
const common = { risk: 'caution', minNeeded: 1, stepUp: 'none', probeHorizonSeconds: 60, maxTtlSeconds: 900 } as const
const irreversible = {
  ...common,
  reversibility: 'irreversible',
  minNeeded: 2,
  stepUp: 'typed',
  retry: 'never',
  maxTtlSeconds: 600,
} as const

/** The value that the plan saw in a field. */
const pinnedValue = (step: Parameters<CloudRow['isApplied']>[1], field: string): string | number | boolean | null =>
  step.preconditions.find((pinned) => pinned.field === field)?.equals ?? null

export const AWS_ROWS: readonly CloudRow[] = [
  {
    definition: {
      ...common,
      kind: 'asg.capacity',
      parameters: z.strictObject({ desired: z.int().min(1).max(10) }),
      reversibility: 'reversible',
      retry: 'precondition',
    },
    pinned: ['desired', 'min', 'max'],
    wanted: ({ desired }) => ({ desired: (Number(desired) % 8) + 1 }),
    change: ({ desired }, parameters) => ({ field: 'desired', from: desired ?? null, to: parameters['desired'] ?? null }),
    guard: () => ({}),
    tagged: false,
    isApplied: ({ desired }, { parameters }) => desired === parameters['desired'],
    undo: (seen) => ({ desired: seen('desired') }),
  },
  {
    definition: { ...common, kind: 'ecs.force-deploy', parameters: nothing, reversibility: 'reversible', retry: 'never' },
    pinned: ['taskDefinition', 'deployment'],
    wanted: () => ({}),
    change: ({ deployment }) => ({ field: 'deployment', from: deployment ?? null, to: 'a new deployment' }),
    guard: () => ({}),
    tagged: false,
    isApplied: ({ deployment }, step) => deployment !== pinnedValue(step, 'deployment'),
    undo: null,
  },
  {
    definition: {
      ...common,
      kind: 'lambda.alias',
      parameters: z.strictObject({ version: z.string() }),
      reversibility: 'reversible',
      retry: 'precondition',
      probeHorizonSeconds: 10,
    },
    pinned: ['version'],
    wanted: ({ version }) => ({ version: version === '5' ? '4' : '5' }),
    change: ({ version }, parameters) => ({ field: 'version', from: version ?? null, to: parameters['version'] ?? null }),
    guard: ({ revisionId }) => ({ revisionId: revisionId ?? null }),
    tagged: false,
    isApplied: ({ version }, { parameters }) => version === parameters['version'],
    undo: (seen) => ({ version: seen('version') }),
  },
  {
    definition: {
      ...common,
      kind: 'ec2.reboot',
      parameters: nothing,
      reversibility: 'compensable',
      retry: 'never',
      probeHorizonSeconds: 120,
    },
    pinned: ['state', 'instanceStore', 'bootTime'],
    wanted: () => ({}),
    change: ({ bootTime }) => ({ field: 'bootTime', from: bootTime ?? null, to: 'now' }),
    guard: () => ({}),
    tagged: false,
    isApplied: ({ bootTime }, step) => bootTime !== pinnedValue(step, 'bootTime'),
    undo: null,
  },
  {
    definition: { ...irreversible, kind: 'sqs.purge', parameters: nothing },
    pinned: ['sample'],
    wanted: () => ({}),
    change: ({ depth }) => ({ field: 'depth', from: depth ?? null, to: 0 }),
    guard: () => ({}),
    tagged: false,
    isApplied: ({ depth, sample }, step) => depth === 0 && sample !== pinnedValue(step, 'sample'),
    undo: null,
  },
  {
    definition: { ...irreversible, kind: 'rds.failover', parameters: z.strictObject({ writer: z.string() }), probeHorizonSeconds: 900 },
    pinned: ['writer'],
    wanted: ({ reader }) => ({ writer: reader ?? null }),
    change: ({ writer }, parameters) => ({ field: 'writer', from: writer ?? null, to: parameters['writer'] ?? null }),
    guard: () => ({}),
    tagged: false,
    isApplied: ({ writer }, { parameters }) => writer === parameters['writer'],
    undo: null,
  },
]
