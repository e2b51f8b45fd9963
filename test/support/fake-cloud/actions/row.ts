import { randomUUID } from 'node:crypto'
import type { StateCheck, SuccessContract } from '../../../../agent/domain/plan.ts'
import type { Action, ActionDefinition, EffectResult, Parameters, Step } from '../../../../integrations/ports/action.ts'
import type { CloudClient } from '../client.ts'
import type { State } from '../ledger.ts'

export const ENVIRONMENT = 'fake'

type Choices = 'kind' | 'parameters' | 'reversibility' | 'risk' | 'minNeeded' | 'stepUp' | 'retry' | 'probeHorizonSeconds' | 'maxTtlSeconds'

/** One row of the pattern table: what a plan pins down, what guards the call, and how one knows afterwards. */
export interface CloudRow {
  definition: Pick<ActionDefinition, Choices>
  /** Fields of the state that are preconditions. */
  pinned: readonly string[]
  /** Parameters of a plan for a resource in this state. */
  wanted(state: State): Parameters
  /** The one field that changes, from what to what. */
  change(state: State, parameters: Parameters): { field: string; from: State[string]; to: State[string] }
  /** What the API makes the call depend on. */
  guard(state: State, step: Step): State
  /** Whether the API has a place for the execution's id. */
  tagged: boolean
  /** Looks at the target only, as one would after a crash. */
  isApplied(state: State, step: Step, executionId: string): boolean
  /** Absolute values that restore what was seen; null when there is no way back. */
  undo: ((seen: (field: string) => State[string]) => Parameters) | null
}

/** Makes an action of the catalogue from a row, over HTTP to the fake cloud. */
export function createCloudAction(row: CloudRow, client: CloudClient): Action {
  const { kind } = row.definition
  const read = async (name: string, signal?: AbortSignal): Promise<State> => await client.read(kind, name, signal)
  return {
    definition: {
      version: 1,
      description: `${kind} at the fake cloud.`,
      role: 'approver',
      requesterMayApprove: false,
      minCooldownSeconds: 0,
      ...row.definition,
    },
    title: ({ name }) => `${kind} ${name}`,
    suggest: async () => null,
    async observe({ name }, signal) {
      const state = await read(name, signal)
      return {
        target: { provider: 'fake-cloud', environment: ENVIRONMENT, kind, name, uid: String(state['uid']) },
        preconditions: row.pinned.map((field) => ({ field, equals: state[field] ?? null })),
        replicas: 1,
      }
    },
    async dryRun({ target, parameters }, signal) {
      const change = row.change(await read(target.name, signal), parameters)
      return { changes: change.from === change.to ? [] : [change], downtime: 'none' }
    },
    success: () => contract([]),
    probeWords: `the state of the ${kind}`,
    undo(step, { preconditions }) {
      if (!row.undo) return null
      const before = row.undo((field) => preconditions.find((pinned) => pinned.field === field)?.equals ?? null)
      const after = preconditions.map(({ field, equals }) => ({
        field,
        equals: field in step.parameters ? (step.parameters[field] ?? null) : equals,
      }))
      return {
        parameters: before,
        preconditions: after,
        success: contract(Object.entries(before).map(([field, equals]) => ({ field, equals }))),
      }
    },
    effect: async (step, executionId, signal) => await carryOut({ row, client, step, executionId, signal }),
    async probe(step, executionId, signal) {
      return row.isApplied(await read(step.target.name, signal), step, executionId) ? 'applied' : 'not-applied'
    },
    async readState({ name }, fields, signal) {
      const state = await read(name, signal)
      if (state['visible'] !== true) return {}
      return Object.fromEntries(fields.map((field) => [field, state[field] ?? null]))
    },
  }
}

function contract(state: StateCheck[]): SuccessContract {
  return {
    metrics: [],
    state: [{ field: 'healthy', equals: true }, ...state],
    settleSeconds: 0,
    holdSeconds: 1,
    withinSeconds: 5,
    minSamples: 2,
    weaker: null,
  }
}

interface Effect {
  row: CloudRow
  client: CloudClient
  step: Step
  executionId: string
  signal: AbortSignal
}

async function carryOut({ row, client, step, executionId, signal }: Effect): Promise<EffectResult> {
  const { kind } = row.definition
  const { name } = step.target
  const state = await client.read(kind, name, signal)
  const stale = step.preconditions.find(({ field, equals }) => (state[field] ?? null) !== equals)
  if (stale || state['uid'] !== step.target.uid)
    return { result: 'refused', reason: 'stale-target', words: `${stale?.field ?? 'uid'} changed` }
  const { status, words } = await client.call(
    {
      callId: randomUUID(),
      kind,
      name,
      parameters: step.parameters,
      guard: row.guard(state, step),
      tag: row.tagged ? executionId : null,
      witness: { executionId, planId: step.planId },
    },
    signal,
  )
  if (status === 200) return { result: 'applied' }
  if (status === 403) return { result: 'refused', reason: 'permission-missing', words }
  if (status !== 409) return { result: 'unknown', words }
  // A copy of the call may have been obeyed before this one was refused: only the target can tell.
  const isApplied = row.isApplied(await client.read(kind, name, signal), step, executionId)
  return isApplied ? { result: 'applied' } : { result: 'refused', reason: 'stale-target', words }
}
