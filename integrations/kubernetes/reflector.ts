import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { IntegrationError } from '../errors.ts'
import type { KubernetesApi, WatchEvent } from './api.ts'
import { refusalOf, statusOf } from './faults.ts'

/** What is known of one kind of object in one place, kept up to date by a watch. */
export interface Reflector<T> {
  /** Null before the first answer, and when it was refused; else everything, in no order. */
  items(): readonly T[] | null
  /** Why nothing is known, or what is known may be old; null when it is current. */
  problem(): IntegrationError | null
  /** Resolves when the first answer came, or was refused. */
  settled: Promise<void>
}

export interface ReflectorOptions<T> {
  api: KubernetesApi
  /** Such as /apis/apps/v1/namespaces/shop/deployments. */
  path: string
  query?: Readonly<Record<string, string>>
  schema: z.ZodType<T>
  /** Whether metadata is all that is asked for. */
  namesOnly?: boolean
  /** Objects beyond this many are not kept, the oldest first to go where `olderThan` says which that is. */
  max: number
  olderThan?: (a: T, b: T) => number
  signal: AbortSignal
  /** The first wait after a fault; doubled each time up to a minute. */
  firstPauseMs?: number
}

const PAGE = '500'
const LONGEST_PAUSE_MS = 60_000
const FIRST_PAUSE_MS = 500
const GONE = 410

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().catch('').default(''), continue: z.string().nullish() }),
  items: z.array(z.unknown()).nullish(),
})
const identitySchema = z.object({ metadata: z.object({ uid: z.string(), resourceVersion: z.string() }) })
const statusSchema = z.object({ code: z.number().catch(0), message: z.string().catch('') })

/** Lists in pages, then watches from there; begins anew when the watch has expired, and again and again, more slowly, while there are faults. */
export function startReflector<T>(options: ReflectorOptions<T>): Reflector<T> {
  const { signal } = options
  let known: Map<string, T> | null = null
  let problem: IntegrationError | null = null
  const first = Promise.withResolvers<void>()

  const keep = (uid: string, object: T): void => {
    if (!known) return
    known.set(uid, object)
    if (known.size > options.max) dropOldest(known, options)
  }
  const take = (event: WatchEvent): string | null => {
    if (event.type === 'ERROR') {
      const { code, message } = statusSchema.catch({ code: 0, message: '' }).parse(event.object)
      throw refusalOf(code, message, null)
    }
    const identity = identitySchema.safeParse(event.object)
    if (event.type === 'BOOKMARK' || !identity.success) return bookmarkOf(event.object)
    const { uid, resourceVersion } = identity.data.metadata
    if (event.type === 'DELETED') known?.delete(uid)
    else {
      const parsed = options.schema.safeParse(event.object)
      if (parsed.success) keep(uid, parsed.data)
    }
    return resourceVersion
  }
  const follow = async (): Promise<void> => {
    const listed = await listAll(options)
    known = listed.objects
    problem = null
    first.resolve()
    let version = listed.resourceVersion
    // A watch that ends in good order goes on from where it was.
    while (!signal.aborted) {
      const began = version
      let heard = 0
      for await (const event of options.api.watch(options.path, { ...options.query, resourceVersion: version }, signal, options)) {
        version = take(event) ?? version
        heard += 1
      }
      if (heard === 0 && version === began) await rest(options.firstPauseMs ?? FIRST_PAUSE_MS, signal)
    }
  }
  const run = async (): Promise<void> => {
    let faults = 0
    while (!signal.aborted) {
      try {
        await follow()
      } catch (error) {
        if (!(error instanceof IntegrationError)) throw error
        if (signal.aborted) break
        const expired = statusOf(error) === GONE
        if (problem === null && known !== null) faults = 0
        if (!expired) problem = error
        if (error.code === 'permission' || error.code === 'auth') known = null
        first.resolve()
        faults += 1
        await rest(pauseAfter(faults, expired, error, options.firstPauseMs ?? FIRST_PAUSE_MS), signal)
      }
    }
    first.resolve()
  }
  const running = run()
  // A mistake of ours ends this reflector; whoever reads it is told rather than shown what is old.
  running.catch((error: unknown) => {
    problem = new IntegrationError('kubernetes', 'invalid_response', `${options.path} cannot be followed any more`, { cause: error })
    known = null
    first.resolve()
  })
  return { items: () => (known ? [...known.values()] : null), problem: () => problem, settled: first.promise }
}

/** Everything that is there now, in pages. @throws IntegrationError, with a status where it was refused */
export async function listAll<T>(
  options: Pick<ReflectorOptions<T>, 'api' | 'path' | 'query' | 'schema' | 'max' | 'signal' | 'namesOnly'>,
): Promise<{ objects: Map<string, T>; resourceVersion: string }> {
  const { api, path, query, schema, max, signal } = options
  const objects = new Map<string, T>()
  let next: string | undefined
  for (;;) {
    const page = listSchema.parse(await api.get(path, { ...query, limit: PAGE, ...(next ? { continue: next } : {}) }, signal, options))
    for (const item of page.items ?? []) {
      const identity = identitySchema.safeParse(item)
      const parsed = schema.safeParse(item)
      if (identity.success && parsed.success && objects.size < max) objects.set(identity.data.metadata.uid, parsed.data)
    }
    next = page.metadata.continue || undefined
    if (!next || objects.size >= max) return { objects, resourceVersion: page.metadata.resourceVersion }
  }
}

function bookmarkOf(object: unknown): string | null {
  const parsed = z.object({ metadata: z.object({ resourceVersion: z.string() }) }).safeParse(object)
  return parsed.success ? parsed.data.metadata.resourceVersion : null
}

/** A Map keeps the order of insertion: without another order, what came first goes first. */
function dropOldest<T>(known: Map<string, T>, { olderThan, max }: ReflectorOptions<T>): void {
  const entries = olderThan ? [...known].sort(([, a], [, b]) => olderThan(a, b)) : [...known]
  for (const [uid] of entries.slice(0, known.size - max)) known.delete(uid)
}

function pauseAfter(faults: number, expired: boolean, { retryAfter }: IntegrationError, firstPauseMs: number): number {
  if (expired && faults === 1) return 0
  const doubled = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (faults - 1))
  // Spread, so that all that lost the same server do not come back at once.
  return Math.max((retryAfter ?? 0) * 1_000, doubled * (0.5 + Math.random() / 2))
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => {})
}
