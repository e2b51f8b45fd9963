import type { ChangeLine, SuccessContract } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Observation, ProbeResult, Step } from '../../ports/action.ts'
import type { JsonPatch } from '../api.ts'
import { type Application, AUTO_SYNC_OFF, autoSyncOf, type Operation, runningOf } from '../argocd/application.ts'
import { runningWords, withoutAccount } from '../argocd/evidence.ts'
import { projectSchema, windowObjection } from '../argocd/sync-windows.ts'
import { applicationOf, type Deployment, deploymentsOf, type Source } from './argo-application.ts'
import { syncedBack } from './contracts.ts'
import { type Change, EXECUTION, FIELD_MANAGER, type LiveObject, readObject } from './live-object.ts'
import { differingFields } from './object-diff.ts'
import type { ActionPlace, Verification } from './workload-target.ts'

/** What Argo CD is asked to deploy: a revision with the source that its settings name, or with another. */
interface Wanted {
  revision: string
  source?: Source
}

/** What replaces objects by new ones: a way of syncing that is not asked for by a click. */
const REPLACING = /^(Replace|Force)=true$/i
const PROJECT_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
/** Of a source these are no secrets. Values for a chart, a plugin or a patch may be. */
const SHOWN = /^(repoURL|path|chart|targetRevision|directory\.recurse|kustomize\.(images\[\d+\]|namePrefix|nameSuffix))$/

/** Asks for a sync as `argocd app sync` and `rollback` do: never with prune or force, and once. A string says why not. */
export async function operationPatch(
  place: ActionPlace,
  application: Application,
  wanted: Wanted,
  { now, signal }: { now: Date; signal: AbortSignal | undefined },
): Promise<JsonPatch[] | string> {
  const running = runningOf(application)
  if (running) return `somebody is already on it: Argo CD ${runningWords(running)}`
  if (application.spec.sources.length > 0 || !application.spec.source) return 'it has not one source: sync it by hand'
  const syncOptions = application.spec.syncPolicy?.syncOptions ?? []
  const replacing = syncOptions.find((option) => REPLACING.test(option.trim()))
  if (replacing) return `its sync option ${replacing} replaces objects by new ones: sync it by hand`
  const closed = await againstWindows(place, application, now, signal)
  if (closed) return closed
  const { revision, source } = wanted
  const sync = {
    revision,
    // As Argo CD does: hooks belong to a sync, not to going back.
    syncStrategy: source ? { apply: {} } : { hook: {} },
    ...(syncOptions.length > 0 ? { syncOptions } : {}),
    ...(source ? { source } : {}),
  }
  return [{ op: 'add', path: '/operation', value: { initiatedBy: { username: FIELD_MANAGER }, sync } }]
}

/** The operation names the execution as well: Argo CD keeps it, and shows it to people. */
export function operationMark(executionId: string): JsonPatch[] {
  return [{ op: 'add', path: '/operation/info', value: [{ name: EXECUTION, value: executionId }] }]
}

/** Whether the operation was asked for, by what is asked for now, what was done last, or the mark on the application. */
export async function probeOperation(change: Change, { target }: Step, executionId: string, signal: AbortSignal): Promise<ProbeResult> {
  const found = await change.find(target.name, signal)
  const object = found ? await readObject(change.api, found.path, signal) : null
  if (!object || object.uid !== target.uid) return 'unknown'
  const { operation, status } = applicationOf(object)
  const isNamed = (each: Operation | null | undefined): boolean =>
    each?.info.some(({ name, value }) => name === EXECUTION && value === executionId) ?? false
  const isThere = object.annotations?.[EXECUTION] === executionId || isNamed(operation) || isNamed(status.operationState?.operation)
  return isThere ? 'applied' : 'not-applied'
}

/** An entry of the history, as long as it is the one that was meant. A string says why not. */
export function deploymentTo(object: LiveObject, id: unknown, digest: unknown): Deployment | string {
  if (autoSyncOf(applicationOf(object)) !== AUTO_SYNC_OFF)
    return `its auto-sync is on, and would put it forward again: pause that first (do argo-pause ${applicationOf(object).metadata.name})`
  const kept = deploymentsOf(object).find((each) => each.id === id)
  if (!kept) return `its history does not keep deployment ${String(id)} any more`
  if (typeof digest === 'string' && kept.digest !== digest) return `deployment ${String(id)} is another than the one that was meant`
  return kept
}

/** What its history shows once a sync is over: so many deployments more than there were, the last operation in good order. */
export function deployedAnew(before: Observation['preconditions'], more: number): SuccessContract['state'] {
  const newest = before.find(({ field }) => field === 'deployment')?.equals
  const counted = typeof newest === 'number' ? [{ field: 'deployment', equals: newest + more }] : []
  return [{ field: 'operation', equals: 'Succeeded' }, ...counted]
}

/** The way back to what was deployed before a sync; null where the history has nothing, or where automated sync would put it forward again. */
export function backTo(before: Observation['preconditions'], verification: Verification) {
  const seen = (field: string) => before.find((each) => each.field === field)?.equals
  const [id, deployedAs, autoSync] = [seen('deployment'), seen('deployedAs'), seen('autoSync')]
  if (typeof id !== 'number' || typeof deployedAs !== 'string' || autoSync !== AUTO_SYNC_OFF) return null
  const preconditions = ['uid', 'settings', 'autoSync'].map((field) => ({ field, equals: seen(field) ?? null }))
  return {
    parameters: { id, deployedAs },
    preconditions: [...preconditions, { field: 'deployment', equals: id + 1 }],
    success: syncedBack(verification, deployedAnew(before, 2)),
  }
}

/** What differs between two deployments: the revision, and what their sources say. */
export function deploymentLines(from: Deployment | null, to: Deployment): ChangeLine[] {
  const revision = { field: 'revision', from: from?.revision ?? null, to: to.revision }
  const source = differingFields(shownSource(from?.source ?? {}), shownSource(to.source)).map((line) =>
    SHOWN.test(line.field) ? line : { ...line, from: hidden(line.from), to: hidden(line.to) },
  )
  return [...(revision.from === revision.to ? [] : [revision]), ...source]
}

function shownSource(source: Source): Source {
  return typeof source['repoURL'] === 'string' ? { ...source, repoURL: withoutAccount(source['repoURL']) } : source
}

function hidden(value: ChangeLine['from']): ChangeLine['from'] {
  return value === null ? null : 'a value that is not shown'
}

async function againstWindows(
  { api, argocdNamespace }: ActionPlace,
  application: Application,
  now: Date,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const { project } = application.spec
  const unknown = `it is not known whether a sync window denies it: the project ${project.slice(0, 60)} cannot be read`
  if (argocdNamespace === null || !PROJECT_NAME.test(project)) return unknown
  const path = `/apis/argoproj.io/v1alpha1/namespaces/${encodeURIComponent(argocdNamespace)}/appprojects/${project}`
  try {
    const parsed = projectSchema.safeParse(await api.get(path, {}, signal))
    return parsed.success ? windowObjection(parsed.data.spec.syncWindows, application, now) : unknown
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return `${unknown} (${error.message})`
  }
}
