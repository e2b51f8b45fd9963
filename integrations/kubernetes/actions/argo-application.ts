import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Observation, Parameters } from '../../ports/action.ts'
import { type Application, applicationSchema, autoSyncOf, historyOf, isDeployedHere, runningOf } from '../argocd/application.ts'
import { pathOfApplications } from '../argocd/applications.ts'
import { placeInCluster } from '../argocd/evidence.ts'
import { ID } from '../faults.ts'
import { readWorkloads } from '../workloads.ts'
import { type Change, digestOf, type Fields, type LiveObject, observe, readObject } from './live-object.ts'
import { type ActionDeps, type ActionPlace, inShell } from './workload-target.ts'

export const APPLICATION = 'Application'
/** As the API server allows names; nothing else becomes part of a path. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,198}[a-z0-9])?$/
const MAX_SETTINGS = 400
const MAX_REVISION = 200
const NAMESPACES_TOLD = 3

const rawSchema = z.looseObject({
  spec: z.looseObject({ source: z.looseObject({}).nullish() }),
  status: z.looseObject({ history: z.array(z.unknown()).nullish() }).nullish(),
})
const entrySchema = z.looseObject({
  id: z.int(),
  revision: z.string().min(1).max(MAX_REVISION),
  source: z.looseObject({ repoURL: z.string().min(1) }),
})
export type Source = Readonly<Record<string, unknown>>
/** One entry of the history with all that it takes to deploy it again. */
export interface Deployment {
  id: number
  revision: string
  source: Source
  /** Equal for what deploys the same. */
  digest: string
}

/** An application as the API server has it now. @throws IntegrationError */
export function applicationOf({ raw }: LiveObject): Application {
  const parsed = applicationSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new IntegrationError(ID, 'invalid_response', 'the application cannot be read', { cause: parsed.error })
}

/** How one action changes an application: only one of this place, and none that is being deleted. */
export function applicationChange(place: ActionPlace, { operations, mark }: Pick<Change, 'operations' | 'mark'>): Change {
  return {
    api: place.api,
    async find(name) {
      const { argocdNamespace: namespace } = place
      return namespace !== null && NAME.test(name) ? { path: `${pathOfApplications(namespace)}/${name}`, beside: {} } : null
    },
    fields: applicationFields,
    operations: async (object, step, signal) => objectionTo(place, applicationOf(object)) ?? (await operations(object, step, signal)),
    ...(mark ? { mark } : {}),
  }
}

/** The fields of an application that preconditions and state checks may name. */
export function applicationFields(object: LiveObject): Fields {
  const application = applicationOf(object)
  const { syncPolicy: _, ...settings } = rawSchema.parse(object.raw).spec
  const [newest] = historyOf(application)
  const { sync, operationState, health } = application.status
  const autoSync = autoSyncOf(application)
  return {
    settings: digestOf(settings),
    autoSync: autoSync.length > MAX_SETTINGS ? digestOf(autoSync) : autoSync,
    repository: sync?.revision?.slice(0, MAX_REVISION) ?? null,
    history: digestOf(rawSchema.parse(object.raw).status?.history ?? []),
    deployment: newest?.id ?? null,
    deployed: newest?.revision.slice(0, MAX_REVISION) ?? null,
    deployedAs: deploymentsOf(object)[0]?.digest ?? null,
    operation: runningOf(application) ? 'running' : (operationState?.phase ?? 'none'),
    health: health?.status ?? 'Unknown',
    replicas: 0,
  }
}

/** What its history keeps and can be deployed again, the newest first. Of several sources nothing is kept that could be. */
export function deploymentsOf({ raw }: LiveObject): Deployment[] {
  return (rawSchema.parse(raw).status?.history ?? [])
    .flatMap((each) => {
      const { success, data } = entrySchema.safeParse(each)
      if (!success) return []
      const { id, revision, source } = data
      return [{ id, revision, source, digest: digestOf({ revision, source }) }]
    })
    .sort((a, b) => b.id - a.id)
}

/** Whether all that it deploys is where this environment is; else whoever looks after the rest has to be asked. */
function objectionTo({ environment, namespaces }: ActionPlace, application: Application): string | null {
  if (application.metadata.deletionTimestamp) return 'it is being deleted'
  if (!isDeployedHere(application)) return 'it deploys into another cluster'
  const elsewhere = namespacesOf(application).filter((each) => !namespaces.includes(each))
  if (elsewhere.length === 0) return null
  return `it deploys into ${elsewhere.slice(0, NAMESPACES_TOLD).join(', ')} as well, which is no part of ${environment}: it is left to people`
}

function namespacesOf({ spec, status }: Application): string[] {
  const all = [spec.destination.namespace ?? '', ...status.resources.map(({ namespace }) => namespace)]
  return [...new Set(all)].filter((each) => each !== '')
}

export async function observeApplication(
  deps: ActionDeps,
  where: { environment: string; name: string },
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Observation | null> {
  const place = deps.places.get(where.environment)
  if (!place) return null
  return await observe(applicationChange(place, { operations: async () => [] }), { ...where, kind: APPLICATION }, names, signal)
}

/** Parameters made of an application as it is now; null where there is none. @throws IntegrationError */
export async function defaultsFor(
  deps: ActionDeps,
  where: { environment: string; name: string },
  make: (object: LiveObject) => Parameters | null,
): Promise<Parameters | null> {
  const place = deps.places.get(where.environment)
  const found = await (place && applicationChange(place, { operations: async () => [] }).find(where.name))
  const object = place && found ? await readObject(place.api, found.path) : null
  return object ? make(object) : null
}

/**
 * The environment whose application this is, with the services that it deploys; null where there is none.
 *
 * @throws IntegrationError where several have one of this name: which of them is meant, nobody can tell
 */
export async function concernedBy({ places }: ActionDeps, name: string): Promise<{ environment: string; services: string[] } | null> {
  const having = [...places.values()].filter((place) =>
    place.applications.list()?.some((each) => each.metadata.name === name && objectionTo(place, each) === null),
  )
  const [place, ...others] = having
  if (!place) return null
  if (others.length > 0) {
    const names = having.map(({ environment }) => environment).join(', ')
    throw new IntegrationError(ID, 'refused', `application ${name} is in several environments (${names}): it is left to people`)
  }
  const managing = place.applications.managers()
  const workloads = await readWorkloads(place)
  const own = workloads.filter((each) => managing(placeInCluster(each)).some(({ metadata }) => metadata.name === name))
  return own.length === 0 ? null : { environment: place.environment, services: own.map(({ service }) => service) }
}

/** One line for a shell. */
export function argocd(...words: readonly string[]): string {
  return ['argocd', 'app', ...words].map(inShell).join(' ')
}
