import type { IntegrationDeps } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import { PROGRAMS } from './catalogue.ts'
import { freshState, type TargetState, targetStateSchema } from './target-state.ts'

const KEY = 'local/target'

type Listener = (state: TargetState) => void | Promise<void>

/** What should run, kept in rows: the one truth that the supervisor follows and that a restart begins with. */
export interface DesiredState {
  /** Reads what was stored; a shop that never ran gets a fresh state. */
  open(): Promise<void>
  /** @throws IntegrationError `unavailable` before it was opened. */
  current(): TargetState
  /** The same, but read again first where a save was not answered: it may have been stored. @throws what the store says */
  known(): Promise<TargetState>
  /**
   * Replaces the state by what `change` makes of it, one caller at a time; the new state is current once it is durable, and the promise resolves
   * once the listeners are through. When `change` returns the state it was given, nothing is written. When saving fails the state stays as it was.
   */
  update(change: (state: TargetState) => TargetState): Promise<TargetState>
  onChange(listener: Listener): void
}

export function createDesiredState(deps: Pick<IntegrationDeps, 'memory' | 'log' | 'now'>, newId: () => string): DesiredState {
  let state: TargetState | null = null
  let last: Promise<unknown> = Promise.resolve()
  let doubtful = false
  const listeners: Listener[] = []
  const current = (): TargetState => {
    if (!state) throw new IntegrationError('local', 'unavailable', 'the local target is not started')
    return state
  }
  const replace = async (change: (state: TargetState) => TargetState): Promise<TargetState> => {
    await readAgain()
    const next = change(current())
    if (next === state) return next
    doubtful = true
    await deps.memory.save(KEY, next)
    doubtful = false
    await adopt(next)
    return next
  }
  /** A save that was not answered may have been stored all the same. */
  const readAgain = async (): Promise<void> => {
    if (!doubtful) return
    const stored = await load(deps, newId)
    doubtful = false
    if (stored.found && JSON.stringify(stored.state) !== JSON.stringify(state)) await adopt(stored.state)
  }
  const adopt = async (next: TargetState): Promise<void> => {
    state = next
    for (const listener of listeners) await listener(next)
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  return {
    async open() {
      state = (await load(deps, newId)).state
    },
    current,
    known: () =>
      inTurn(async () => {
        await readAgain()
        return current()
      }),
    update: (change) => inTurn(() => replace(change)),
    onChange: (listener) => void listeners.push(listener),
  }
}

async function load(
  { memory, log, now }: Pick<IntegrationDeps, 'memory' | 'log' | 'now'>,
  newId: () => string,
): Promise<{ state: TargetState; found: boolean }> {
  const stored = await memory.load(KEY)
  if (stored === null || stored === undefined) return { state: freshState(now(), newId), found: false }
  const parsed = targetStateSchema.safeParse(stored)
  if (parsed.success && PROGRAMS.every(({ name }) => Object.hasOwn(parsed.data.workloads, name))) return { state: parsed.data, found: true }
  log.warn({ issues: parsed.error?.issues.slice(0, 3) ?? [] }, 'the stored state of the local target is of another shape; it starts afresh')
  return { state: freshState(now(), newId), found: false }
}
