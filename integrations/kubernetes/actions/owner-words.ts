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
        }),
      )
      .nullish(),
  }),
})

/** Marks by which tools that keep a cluster as a repository says know their own. */
const KEEPERS: readonly (readonly [string, string])[] = [
  ['argocd.argoproj.io/tracking-id', 'Argo CD'],
  ['argocd.argoproj.io/instance', 'Argo CD'],
  ['kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ['helm.toolkit.fluxcd.io/name', 'Flux'],
]
const RECENT_MS = 10 * 60_000
/** Parts of the platform itself, which write all the time. */
const PLATFORM = /^(kube-|k3s$|kubelet|horizontal-pod|deployment-controller|steadyhand$)/
const MAX_NAME = 40

/** What somebody about to change the object should know of others who do, in words for a card; '' when there is nothing. */
export function ownerWords(object: unknown, now: Date): string {
  const parsed = ownedSchema.safeParse(object)
  if (!parsed.success) return ''
  const { labels, annotations, managedFields } = parsed.data.metadata
  const marks = { ...labels, ...annotations }
  const keeper = KEEPERS.find(([mark]) => marks[mark] !== undefined)?.[1]
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
    ...(keeper ? [`${keeper} owns it and puts it back to what its repository says`] : []),
    ...(recent ? [`${recent.manager?.slice(0, MAX_NAME)} changed it in the last 10 minutes`] : []),
  ]
    .map((words) => `; ${words}`)
    .join('')
}
