import { z } from 'zod'
import type { ActionProvider } from '../../agent/actions/catalog.ts'
import { IntegrationError } from '../../integrations/errors.ts'
import type { Action, ActionDefinition, EffectResult, ProbeResult } from '../../integrations/ports/action.ts'
import type { Point } from '../../integrations/ports/metrics.ts'

/** How the next calls of `effect` go: done and answered, done but the answer is lost, refused, or lost before anything happened. */
export type Reply = 'answer' | 'lose-answer' | 'refuse' | 'lose-call'

/** A working target in memory: one workload with a version, whose errors depend on it. Every effect that really happened is in `ledger`. */
export interface FakeTarget {
  provider: ActionProvider
  action: Action
  state: { version: string; uid: string; replicas: number }
  ledger: { executionId: string; version: string }[]
  /** What the error ratio is at each version; a version that is not named has no samples. */
  errors: Record<string, number | undefined>
  /** While true its telemetry cannot be read; `unread` counts the readings that failed. */
  unreadable: boolean
  unread: number
  reply: Reply
  /** What a probe says; null lets it look at the ledger. */
  probeAnswer: ProbeResult | null
  /** What its dry run would have people know. */
  cautions: readonly string[]
  /** Called right before the effect happens, to change the world in between. */
  beforeEffect: (() => void | Promise<void>) | null
}

export const FAKE_DEFINITION: ActionDefinition = {
  kind: 'fake.set-version',
  version: 1,
  description: 'Sets the version of the one workload there is.',
  parameters: z.strictObject({ version: z.string().regex(/^v\d{1,3}$/) }),
  reversibility: 'compensable',
  risk: 'caution',
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: true,
  stepUp: 'none',
  maxTtlSeconds: 900,
  minCooldownSeconds: 0,
  retry: 'never',
  probeHorizonSeconds: 2,
}

export function createFakeTarget(now: () => Date): FakeTarget {
  const state = { version: 'v2', uid: 'uid-1', replicas: 2 }
  const ledger: FakeTarget['ledger'] = []
  const target = { provider: 'fake', environment: 'local', kind: 'service', name: 'payments' }
  const fake: Omit<FakeTarget, 'provider' | 'action'> = {
    state,
    ledger,
    errors: { v1: 0, v2: 0.9 },
    unreadable: false,
    unread: 0,
    reply: 'answer',
    probeAnswer: null,
    cautions: [],
    beforeEffect: null,
  }

  const apply = async (version: string, executionId: string): Promise<EffectResult> => {
    await fake.beforeEffect?.()
    if (fake.reply === 'refuse') return { result: 'refused', reason: 'permission-missing', words: 'the account lacks workloads.update' }
    if (fake.reply === 'lose-call') throw new Error('connection reset')
    state.version = version
    ledger.push({ executionId, version })
    if (fake.reply === 'lose-answer') throw new Error('connection reset')
    return { result: 'applied' }
  }

  const action: Action = {
    definition: FAKE_DEFINITION,
    title: ({ name }, { version }) => `Set ${name} to ${String(version)}`,
    suggest: async (hypothesis) =>
      hypothesis.class === 'bad_release'
        ? { target: { environment: 'local', name: 'payments' }, parameters: { version: 'v1' }, why: 'errors began with v2' }
        : null,
    observe: async ({ name }) =>
      name === 'payments'
        ? { target: { ...target, uid: state.uid }, preconditions: [{ field: 'version', equals: state.version }], replicas: state.replicas }
        : null,
    dryRun: async ({ parameters }) => ({
      changes:
        parameters['version'] === state.version ? [] : [{ field: 'version', from: state.version, to: parameters['version'] ?? null }],
      downtime: 'none',
      cautions: fake.cautions,
    }),
    success: () => ({
      metrics: [{ service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: 'ratio' }],
      state: [],
      settleSeconds: 1,
      holdSeconds: 3,
      withinSeconds: 10,
      minSamples: 3,
      weaker: null,
    }),
    probeWords: 'the ledger names the execution',
    undo: (step, observation) => ({
      parameters: { version: String(observation.preconditions[0]?.equals) },
      preconditions: [{ field: 'version', equals: step.parameters['version'] ?? null }],
      success: {
        metrics: [],
        state: [{ field: 'version', equals: observation.preconditions[0]?.equals ?? null }],
        settleSeconds: 0,
        holdSeconds: 1,
        withinSeconds: 10,
        minSamples: 1,
        weaker: null,
      },
    }),
    effect: async ({ parameters }, executionId) => await apply(String(parameters['version']), executionId),
    probe: async (_step, executionId) =>
      fake.probeAnswer ?? (ledger.some((entry) => entry.executionId === executionId) ? 'applied' : 'not-applied'),
    byHand: {
      defaults: async () => ({ version: 'v1' }),
      command: ({ target, parameters }) => `fakectl set ${target.name} --version ${String(parameters['version'])}`,
    },
    readState: async (_target, fields) => Object.fromEntries(fields.map((field) => [field, field === 'version' ? state.version : null])),
  }

  const points = (from: Date, to: Date): Point[] => {
    const value = fake.errors[state.version]
    if (value === undefined) return []
    const seconds = Math.floor((to.getTime() - from.getTime()) / 1_000)
    return Array.from({ length: Math.max(0, seconds + 1) }, (_, index) => ({ at: new Date(from.getTime() + index * 1_000), value }))
  }
  const provider: ActionProvider = {
    id: 'fake',
    environments: ['local'],
    actions: [action],
    metrics: {
      async read({ from, to, service, metric }) {
        if (fake.unreadable) {
          fake.unread += 1
          throw new IntegrationError('fake', 'unavailable', 'the telemetry is away')
        }
        const until = to.getTime() > now().getTime() ? now() : to
        return { query: `${metric}(${service})`, link: null, labels: {}, points: points(from, until) }
      },
    },
  }
  return Object.assign(fake, { provider, action })
}
