import { IntegrationError } from '../../errors.ts'
import type { KubernetesApi } from '../api.ts'
import { startReflector } from '../reflector.ts'
import { type Application, applicationSchema, isDeployedHere } from './application.ts'

const MAX_APPLICATIONS = 2_000
const FIRST_ANSWER_MS = 3_000

/** An object by its place in the cluster. */
export interface Placed {
  kind: string
  namespace: string
  name: string
}

/** The applications of Argo CD that deploy into one cluster, as current as their watch. */
export interface Applications {
  /** Null while none could be read: there is no Argo CD, its applications may not be read, or it has not answered yet. */
  list(): readonly Application[] | null
  /** Those that manage an object, as they say themselves at this moment: asked once, however many objects are looked up. */
  managers(): (object: Placed) => readonly Application[]
  /** Resolves when they were read once, or were refused, or nothing came for a while. */
  settled(signal?: AbortSignal): Promise<void>
  start(): void
  stop(): void
}

/** For a place whose Argo CD nobody named: nothing is asked. */
export const NO_APPLICATIONS: Applications = {
  list: () => null,
  managers: () => () => [],
  settled: async () => {},
  start: () => {},
  stop: () => {},
}

export function pathOfApplications(namespace: string): string {
  return `/apis/argoproj.io/v1alpha1/namespaces/${encodeURIComponent(namespace)}/applications`
}

/** Follows the applications of one namespace. */
export function createApplications({ api, namespace }: { api: KubernetesApi; namespace: string }): Applications {
  const end = new AbortController()
  let reflector: ReturnType<typeof startReflector<Application>> | null = null
  const list = (): readonly Application[] | null => {
    // What was read before its kind was taken away is no more.
    if (reflector?.problem()?.code === 'not_found') return null
    return reflector?.items()?.filter(isDeployedHere) ?? null
  }
  return {
    list,
    managers() {
      const byObject = new Map<string, Application[]>()
      for (const application of list() ?? [])
        for (const object of application.status.resources) {
          const key = keyOf(object)
          byObject.set(key, [...(byObject.get(key) ?? []), application])
        }
      return (object) => byObject.get(keyOf(object)) ?? []
    },
    async settled(signal) {
      const late = AbortSignal.timeout(FIRST_ANSWER_MS)
      await Promise.race([reflector?.settled, fired(signal ? AbortSignal.any([signal, late]) : late)])
    },
    start() {
      reflector ??= startReflector({
        api,
        path: pathOfApplications(namespace),
        schema: applicationSchema,
        max: MAX_APPLICATIONS,
        signal: end.signal,
      })
    },
    stop: () => end.abort(),
  }
}

/** What stands against reading them, in words for doctor; null when nothing does. @throws IntegrationError for a fault that says nothing about them */
export async function applicationsProblem(api: KubernetesApi, namespace: string, signal: AbortSignal): Promise<string | null> {
  try {
    await api.get(pathOfApplications(namespace), { limit: '1' }, signal)
    return null
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    if (error.code === 'not_found') return 'the API server knows no applications of Argo CD (applications.argoproj.io)'
    if (error.code === 'permission') return `applications of Argo CD in ${namespace} may not be read (${error.message})`
    throw error
  }
}

function keyOf({ kind, namespace, name }: Placed): string {
  return `${kind}/${namespace}/${name}`
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
