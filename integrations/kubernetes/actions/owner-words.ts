import { z } from 'zod'

const ownedSchema = z.object({
  metadata: z.object({
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

const KEEPERS: readonly Keeper[] = [
  {
    ...{ name: 'Argo CD', manager: /^argocd/, unit: 'application' },
    marks: ['argocd.argoproj.io/tracking-id', 'argocd.argoproj.io/instance'],
  },
  { name: 'Flux', manager: /^kustomize-controller/, unit: 'kustomization', marks: ['kustomize.toolkit.fluxcd.io/name'] },
  { name: 'Flux', manager: /^helm-controller/, unit: 'release', marks: ['helm.toolkit.fluxcd.io/name'] },
]
const RECENT_MS = 10 * 60_000
/** Parts of the platform itself, which write all the time. */
const PLATFORM = /^(kube-|k3s$|kubelet|horizontal-pod|deployment-controller|steadyhand$)/
const MAX_NAME = 40

/**
 * What somebody about to change the object should know of others who do, in words for a card; '' when there is nothing. `after` is the object as it
 * would be.
 */
export function ownerWords(before: unknown, after: unknown, now: Date): string {
  const parsed = ownedSchema.safeParse(before)
  if (!parsed.success) return ''
  const { labels, annotations, managedFields } = parsed.data.metadata
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
    ...keeperWords({ ...labels, ...annotations }, managedFields ?? [], [before, after]),
    ...(recent ? [`${recent.manager?.slice(0, MAX_NAME)} changed it in the last 10 minutes`] : []),
  ]
    .map((words) => `; ${words}`)
    .join('')
}

type Written = NonNullable<z.infer<typeof ownedSchema>['metadata']['managedFields']>

/** Who puts the object back to what a repository says, and whether that goes for what would change; which fields are theirs, the API server keeps. */
function keeperWords(marks: Readonly<Record<string, string>>, written: Written, [before, after]: readonly [unknown, unknown]): string[] {
  const keeper = KEEPERS.find((each) => each.marks.some((mark) => marks[mark] !== undefined))
  if (!keeper) return []
  const mark = keeper.marks.map((each) => marks[each]).find((value) => value !== undefined) ?? ''
  // A tracking id goes on with the object that it was given to: 'shop:apps/Deployment:shop/payments'.
  const unit = mark.split(':')[0]?.slice(0, MAX_NAME).toWellFormed() ?? ''
  const who = unit === '' ? keeper.name : `${keeper.name} (${keeper.unit} ${unit})`
  const own = written.filter(({ manager, subresource }) => !subresource && keeper.manager.test(manager ?? ''))
  const [from, to] = [specOf(before), specOf(after)]
  const isSet = (by: Written): boolean => by.some(({ fieldsV1 }) => isSetBy(fieldOf(fieldsV1, 'f:spec'), from, to))
  if (isSet(own)) return [`${who} sets this back: change its repository, or pause its sync first`]
  // Whoever changes a field takes it over from its keeper, until the keeper puts it back: then nobody can tell from here.
  if (own.length === 0 || isSet(written.filter((each) => !own.includes(each))))
    return [`${who} owns it and puts it back to what its repository says`]
  return [`${who} owns it and leaves this as it is`]
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
