import { z } from 'zod'
import type { Target } from '../../../agent/domain/plan.ts'
import type { DryRun } from '../../ports/action.ts'
import { repositoryKey } from '../../ports/durable-ways.ts'
import { type Application, AUTO_SYNC_OFF, autoSyncOf, runningOf } from '../argocd/application.ts'
import { runningWords } from '../argocd/evidence.ts'
import type { ActionPlace } from './workload-target.ts'

const ownedSchema = z.object({
  metadata: z.object({
    name: z.string().catch('').default(''),
    namespace: z.string().catch('').default(''),
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string() }))
      .nullish()
      .catch(null),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    managedFields: z
      .array(
        z.object({
          manager: z.string().nullish(),
          operation: z.string().nullish(),
          time: z.string().nullish(),
          subresource: z.string().nullish(),
          fieldsV1: z.unknown(),
        }),
      )
      .nullish(),
  }),
})

/** A tool that keeps a cluster as a repository says. */
interface Keeper {
  name: string
  /** Marks by which it knows its own. */
  marks: readonly string[]
  /** What it calls itself where it writes. */
  manager: RegExp
  /** What an object belongs to, by such a mark. */
  unit: string
}

const ARGO_CD: Keeper = {
  ...{ name: 'Argo CD', manager: /^argocd/, unit: 'application' },
  marks: ['argocd.argoproj.io/tracking-id', 'argocd.argoproj.io/instance'],
}
const KEEPERS: readonly Keeper[] = [
  ARGO_CD,
  { name: 'Flux', manager: /^kustomize-controller/, unit: 'kustomization', marks: ['kustomize.toolkit.fluxcd.io/name'] },
  { name: 'Flux', manager: /^helm-controller/, unit: 'release', marks: ['helm.toolkit.fluxcd.io/name'] },
]
const RECENT_MS = 10 * 60_000
/** Parts of the platform itself, which write all the time. */
const PLATFORM = /^(kube-|k3s$|kubelet|horizontal-pod|deployment-controller|steadyhand$)/
const MAX_NAME = 40

/**
 * What somebody about to change the object should know of others who do, in words for a card; '' when there is nothing. `after` is the object as it
 * would be, `application` that of Argo CD which says that the object is one of its own, where that is known.
 */
export function ownerWords(before: unknown, after: unknown, now: Date, application: string | null = null): string {
  const parsed = ownedSchema.safeParse(before)
  if (!parsed.success) return ''
  const { managedFields, ownerReferences } = parsed.data.metadata
  const maker = ownerReferences?.find(({ kind }) => kind === 'ApplicationSet')
  const recent = (managedFields ?? []).find(
    ({ manager, subresource, time }) =>
      manager &&
      !subresource &&
      !PLATFORM.test(manager) &&
      time &&
      now.getTime() - Date.parse(time) < RECENT_MS &&
      Date.parse(time) <= now.getTime(),
  )
  return [
    ...keeperWords(keptBy(parsed.data, [before, after], application)),
    ...(maker ? [`ApplicationSet ${maker.name.slice(0, MAX_NAME).toWellFormed()} made it and may put this back`] : []),
    ...(recent ? [`${recent.manager?.slice(0, MAX_NAME)} changed it in the last 10 minutes`] : []),
  ]
    .map((words) => `; ${words}`)
    .join('')
}

/**
 * The same for a card, with what the application of Argo CD that manages the object is doing, and what can be asked of it in place of a change past its
 * repository.
 */
export function ownerNotes(
  place: ActionPlace,
  { kind, name: service }: Pick<Target, 'kind' | 'name'>,
  { before, after, now }: { before: unknown; after: unknown; now: Date },
): { words: string } & Required<Pick<DryRun, 'cautions'>> {
  const parsed = ownedSchema.safeParse(before)
  const { name = '', namespace = '' } = parsed.data?.metadata ?? {}
  const [application = null] = place.applications.managers()({ kind, namespace, name })
  const words = ownerWords(before, after, now, application?.metadata.name ?? null)
  if (!application || !parsed.success) return { words, cautions: [] }
  const kept = keptBy(parsed.data, [before, after], application.metadata.name)
  const durable = kept?.fate === 'left' ? [] : durableWords(application, service, place)
  return { words, cautions: [...applicationWords(application, kept?.fate ?? 'unclear', place.actions), ...durable] }
}

/** What would stay: a change of the repository that the application deploys, where somebody here may ask for one. */
function durableWords(
  { spec }: Application,
  service: string,
  { environment, durable }: Pick<ActionPlace, 'environment' | 'durable'>,
): string[] {
  const deployed = repositoryKey(spec.source?.repoURL ?? '')
  const way = durable.find((each) => each.environment === environment && each.service === service && each.repository === deployed)
  return way ? [`What stays is a change of its repository, as a pull request: ${way.command}.`] : []
}

function applicationWords(application: Application, fate: Kept['fate'], offered: readonly string[]): string[] {
  const { name } = application.metadata
  const running = runningOf(application)
  const someone = running ? [`Somebody is already on it: Argo CD ${runningWords(running)}, application ${name}.`] : []
  if (fate === 'left') return someone
  const by = (verb: string, command: string): string => (offered.includes(`kubernetes.${verb}`) ? `do ${verb} ${name}` : command)
  const back = by('argo-rollback', `argocd app rollback ${name} ID`)
  if (autoSyncOf(application) === AUTO_SYNC_OFF)
    return [...someone, `Application ${name} does not sync by itself: this stays until somebody syncs it. Its own way back: ${back}.`]
  const when = application.spec.syncPolicy?.automated?.['selfHeal'] === true ? 'within seconds' : 'with the next commit'
  const pause = by('argo-pause', `argocd app set ${name} --sync-policy none`)
  return [
    ...someone,
    `Application ${name} syncs by itself and puts this back ${when}. Pause that first: ${pause}. Its own way back is then: ${back}.`,
  ]
}

type Owned = z.infer<typeof ownedSchema>
type Written = NonNullable<Owned['metadata']['managedFields']>

/** Who keeps an object as a repository says, and what becomes of a change: put back, left, or nobody can tell. */
interface Kept {
  who: string
  fate: 'put back' | 'left' | 'unclear'
}

/** Which fields are whose, the API server keeps. */
function keptBy({ metadata }: Owned, [before, after]: readonly [unknown, unknown], application: string | null): Kept | null {
  const marks: Readonly<Record<string, string>> = { ...metadata.labels, ...metadata.annotations }
  const keeper = KEEPERS.find((each) => each.marks.some((mark) => marks[mark] !== undefined)) ?? (application === null ? null : ARGO_CD)
  if (!keeper) return null
  const mark = keeper.marks.map((each) => marks[each]).find((value) => value !== undefined) ?? application ?? ''
  // A tracking id goes on with the object that it was given to: 'shop:apps/Deployment:shop/payments'.
  const unit = mark.split(':')[0]?.slice(0, MAX_NAME).toWellFormed() ?? ''
  const who = unit === '' ? keeper.name : `${keeper.name} (${keeper.unit} ${unit})`
  const written = metadata.managedFields ?? []
  const own = written.filter(({ manager, subresource }) => !subresource && keeper.manager.test(manager ?? ''))
  const [from, to] = [specOf(before), specOf(after)]
  const isSet = (by: Written): boolean => by.some(({ fieldsV1 }) => isSetBy(fieldOf(fieldsV1, 'f:spec'), from, to))
  if (isSet(own)) return { who, fate: 'put back' }
  // Whoever changes a field takes it over from its keeper, until the keeper puts it back: then nobody can tell from here.
  if (own.length === 0 || isSet(written.filter((each) => !own.includes(each)))) return { who, fate: 'unclear' }
  return { who, fate: 'left' }
}

function keeperWords(kept: Kept | null): string[] {
  if (!kept) return []
  if (kept.fate === 'put back') return [`${kept.who} sets this back: change its repository, or pause its sync first`]
  if (kept.fate === 'unclear') return [`${kept.who} owns it and puts it back to what its repository says`]
  return [`${kept.who} owns it and leaves this as it is`]
}

/**
 * Whether a difference lies in what somebody manages. `fields` names that as the API server does (FieldsV1): 'f:' and a key, 'k:' and what tells an
 * element of a list from others, and nothing below what is managed as a whole.
 */
function isSetBy(fields: unknown, before: unknown, after: unknown): boolean {
  if (fields === undefined || JSON.stringify(before) === JSON.stringify(after)) return false
  if (!isRecord(fields) || Object.keys(fields).length === 0) return true
  if (Array.isArray(before) && Array.isArray(after)) {
    const [from, to] = [byName(before), byName(after)]
    if (from === null || to === null) return true
    return [...new Set([...from.keys(), ...to.keys()])].some((name) =>
      isSetBy(fieldOf(fields, `k:{"name":${JSON.stringify(name)}}`), from.get(name), to.get(name)),
    )
  }
  if (!isRecord(before) || !isRecord(after)) return true
  return Object.keys({ ...before, ...after }).some((key) => isSetBy(fieldOf(fields, `f:${key}`), before[key], after[key]))
}

/** Elements of a list by their names; null where they have none. */
function byName(list: readonly unknown[]): Map<string, unknown> | null {
  const named = list.flatMap((each) => (isRecord(each) && typeof each['name'] === 'string' ? [[each['name'], each] as const] : []))
  return named.length === list.length ? new Map(named) : null
}

function specOf(object: unknown): unknown {
  return isRecord(object) ? object['spec'] : undefined
}

function fieldOf(fields: unknown, name: string): unknown {
  return isRecord(fields) && Object.hasOwn(fields, name) ? fields[name] : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
