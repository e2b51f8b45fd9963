import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Target } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Action, EffectResult, Observation, ProbeResult, Step } from '../../ports/action.ts'
import type { JsonPatch, KubernetesApi } from '../api.ts'
import { ID, statusOf } from '../faults.ts'

/** Beside it on the changed object stands the id of the execution that changed it. */
export const EXECUTION = 'steadyhand.dev/execution'
export const FIELD_MANAGER = 'steadyhand'
export const DRY_RUN = { dryRun: 'All', fieldManager: FIELD_MANAGER }

export type Field = string | number | boolean | null
export type Fields = Record<string, Field>

/** An object as the API server has it now, whole: what is patched is compared with this. */
export interface LiveObject {
  path: string
  uid: string
  resourceVersion: string
  annotations: Readonly<Record<string, string>> | null
  raw: Record<string, unknown>
}

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
})

/** Null when there is no such object. @throws IntegrationError for anything else that is no answer */
export async function readObject(api: KubernetesApi, path: string, signal?: AbortSignal): Promise<LiveObject | null> {
  try {
    const raw = await api.get(path, {}, signal)
    const parsed = objectSchema.safeParse(raw)
    if (!parsed.success) throw new IntegrationError(ID, 'invalid_response', 'the object has no uid', { cause: parsed.error })
    const { uid, resourceVersion, annotations = null } = parsed.data.metadata
    return { path, uid, resourceVersion, annotations, raw: parsed.data }
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}

/** A short name of a value: equal values have equal names, whatever the order of their keys. */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 16)
}

/** What is null is not there: the API writes the same object with and without. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const present = Object.entries(value).filter(([, each]) => each !== null && each !== undefined)
  return Object.fromEntries(present.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]))
}

/** Where a target is, and what else is known of it. */
export interface Found {
  path: string
  /** Fields that are no part of the object itself, each read when it is asked for: an action that asks for none needs no right to it. */
  beside: Readonly<Record<string, () => Promise<Field>>>
}

/** How one action reads and changes one kind of object. */
export interface Change {
  api: KubernetesApi
  /** Null when there is no such target. */
  find(name: string, signal?: AbortSignal): Promise<Found | null>
  /** The fields that preconditions and state checks may name, of an object as it is. */
  fields(object: LiveObject): Fields
  /** What is changed, without the guard; a string says why not. Live bounds are looked at here. */
  operations(object: LiveObject, step: Step, signal?: AbortSignal): Promise<JsonPatch[] | string>
  /** Where else than in the annotation the execution is named. */
  mark?(executionId: string): JsonPatch[]
}

/** Only the object that was looked at, in the state in which it was looked at: whatever has changed since, the API server refuses. */
function guarded({ mark }: Change, object: LiveObject, operations: readonly JsonPatch[], executionId: string): JsonPatch[] {
  return [
    { op: 'test', path: '/metadata/uid', value: object.uid },
    { op: 'test', path: '/metadata/resourceVersion', value: object.resourceVersion },
    ...operations,
    object.annotations === null
      ? { op: 'add', path: '/metadata/annotations', value: { [EXECUTION]: executionId } }
      : { op: 'add', path: `/metadata/annotations/${EXECUTION.replace('/', '~1')}`, value: executionId },
    ...(mark?.(executionId) ?? []),
  ]
}

/** Asks the API server to do all of it except keep it, and returns the object as it is and as it would be. @throws IntegrationError */
export async function dryRun(change: Change, step: Step, signal?: AbortSignal): Promise<{ before: LiveObject; after: unknown }> {
  let tried: string | null = null
  for (let attempt = 1; ; attempt += 1) {
    const before = await requireObject(change, step, signal)
    const operations = await change.operations(before, step, signal)
    if (typeof operations === 'string') throw new IntegrationError(ID, 'refused', operations)
    try {
      return { before, after: await change.api.patch(before.path, guarded(change, before, operations, 'dry-run'), DRY_RUN, signal) }
    } catch (error) {
      if (!mayHaveMoved(error) || before.resourceVersion === tried || attempt >= MOST_ATTEMPTS) throw error
      tried = before.resourceVersion
    }
  }
}

async function requireObject(change: Change, { target }: Step, signal?: AbortSignal): Promise<LiveObject> {
  const found = await change.find(target.name, signal)
  const object = found ? await readObject(change.api, found.path, signal) : null
  if (!object) throw new IntegrationError(ID, 'not_found', `there is no ${target.kind} ${target.name} in ${target.environment}`)
  if (object.uid !== target.uid)
    throw new IntegrationError(ID, 'not_found', `${target.name} is another object than the one that was seen: its uid changed`)
  return object
}

/** The API server writes a busy object's status several times a second; each write moves its resourceVersion. */
const MOST_ATTEMPTS = 20

/** Nothing was changed: a test of the patch did not hold (409, 422), or it is no valid change (422). Which of them, another look tells. */
function mayHaveMoved(error: unknown): boolean {
  const status = statusOf(error)
  return status === 409 || status === 422
}

/**
 * Carries a step out once. The object is read and compared, then patched on the condition that nobody wrote it in between; where only its status
 * moved, it is read and compared again. A refusal means that nothing was changed; without an answer only a probe can tell.
 */
export async function carryOut(change: Change, step: Step, executionId: string, signal: AbortSignal): Promise<EffectResult> {
  let tried = { resourceVersion: '', words: '' }
  for (let attempt = 1; ; attempt += 1) {
    const looked = await look(change, step, executionId, signal)
    if ('result' in looked) return looked
    const { object, operations } = looked
    if (tried.resourceVersion === object.resourceVersion) return { result: 'refused', reason: 'invalid', words: tried.words }
    if (attempt > MOST_ATTEMPTS) return stale(`${step.target.name} was written by others again and again while it was to be changed`)
    try {
      await change.api.patch(object.path, guarded(change, object, operations, executionId), { fieldManager: FIELD_MANAGER }, signal)
      return { result: 'applied' }
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error
      if (!mayHaveMoved(error)) return endOf(error)
      tried = { resourceVersion: object.resourceVersion, words: error.message }
    }
  }
}

/** What stands against it before anything is sent, or what to send. */
async function look(
  change: Change,
  step: Step,
  executionId: string,
  signal: AbortSignal,
): Promise<EffectResult | { object: LiveObject; operations: JsonPatch[] }> {
  const { target } = step
  try {
    const found = await change.find(target.name, signal)
    const object = found ? await readObject(change.api, found.path, signal) : null
    if (!found || !object) return stale(`there is no ${target.kind} ${target.name} any more`)
    if (object.uid === target.uid && object.annotations?.[EXECUTION] === executionId) return { result: 'applied' }
    const named = step.preconditions.map(({ field }) => field)
    const wrong = staleFields(object, { ...(await readBeside(found, named)), ...change.fields(object) }, step)
    if (wrong.length > 0) return stale(wrong.join('; '))
    const operations = await change.operations(object, step, signal)
    return typeof operations === 'string' ? { result: 'refused', reason: 'invalid', words: operations } : { object, operations }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return unsent(error)
  }
}

async function readBeside({ beside }: Found, names: readonly string[]): Promise<Fields> {
  const read = names.map(async (name) => [name, await beside[name]?.()] as const)
  return Object.fromEntries((await Promise.all(read)).filter((entry): entry is [string, Field] => entry[1] !== undefined))
}

function staleFields(object: LiveObject, fields: Fields, { target, preconditions }: Step): string[] {
  const all = [{ field: 'uid', equals: target.uid as Field }, ...preconditions]
  const now: Fields = { ...fields, uid: object.uid }
  return all.flatMap(({ field, equals }) =>
    now[field] === equals ? [] : [`${field} of ${target.name} is ${String(now[field] ?? 'unknown')}, not ${String(equals)}`],
  )
}

/** What an answer that is no success means for what was sent: nothing was changed, or nobody knows. */
export function endOf(error: IntegrationError): EffectResult {
  const status = statusOf(error)
  if (status === 404) return stale(error.message)
  if (isDenied(error)) return { result: 'refused', reason: 'permission-missing', words: error.message }
  if (status !== null && status >= 400 && status < 500 && status !== 408)
    return { result: 'refused', reason: 'invalid', words: error.message }
  return { result: 'unknown', words: error.message }
}

/** Reading changes nothing, so that whatever goes wrong there is a refusal. */
export function unsent(error: IntegrationError): EffectResult {
  return { result: 'refused', reason: isDenied(error) ? 'permission-missing' : 'invalid', words: `nothing was sent: ${error.message}` }
}

function isDenied({ code }: IntegrationError): boolean {
  return code === 'permission' || code === 'auth'
}

export function stale(words: string): Extract<EffectResult, { result: 'refused' }> {
  return { result: 'refused', reason: 'stale-target', words }
}

/** Whether the execution left its mark. Of an object that is gone nobody can say. */
export async function probeMark(change: Change, { target }: Step, executionId: string, signal: AbortSignal): Promise<ProbeResult> {
  const found = await change.find(target.name, signal)
  const object = found ? await readObject(change.api, found.path, signal) : null
  if (!object || object.uid !== target.uid) return 'unknown'
  return object.annotations?.[EXECUTION] === executionId ? 'applied' : 'not-applied'
}

/** The target as it is now, pinned by the named fields; null when there is none. */
export async function observe(
  change: Change,
  where: Omit<Target, 'uid' | 'provider'>,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Observation | null> {
  const found = await change.find(where.name, signal)
  const object = found ? await readObject(change.api, found.path, signal) : null
  if (!found || !object) return null
  const fields: Fields = { ...(await readBeside(found, names)), ...change.fields(object), uid: object.uid }
  const replicas = fields['replicas']
  return {
    target: { provider: ID, uid: object.uid, ...where },
    preconditions: names.map((field) => ({ field, equals: fields[field] ?? null })),
    replicas: typeof replicas === 'number' ? replicas : 1,
  }
}

/** The current values of these fields; of an object that is gone or another, nothing. */
export async function readFields(change: Change, target: Target, names: readonly string[], signal?: AbortSignal): Promise<Fields> {
  const found = await change.find(target.name, signal)
  const object = found ? await readObject(change.api, found.path, signal) : null
  const known: Fields =
    found && object?.uid === target.uid ? { ...(await readBeside(found, names)), ...change.fields(object), uid: object.uid } : {}
  return Object.fromEntries(names.map((name) => [name, known[name] ?? null]))
}

/** What every action that patches one object does in the same way. */
export function callsOf(
  change: (environment: string) => Change,
  probe: typeof probeMark = probeMark,
): Pick<Action, 'effect' | 'probe' | 'readState'> {
  return {
    effect: async (step, id, signal) => await carryOut(change(step.target.environment), step, id, signal),
    probe: async (step, id, signal) => await probe(change(step.target.environment), step, id, signal),
    readState: async (target, fields, signal) => await readFields(change(target.environment), target, fields, signal),
  }
}
