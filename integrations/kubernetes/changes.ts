import type { Change, ChangesPort } from '../ports/changes.ts'
import { deploymentsOf } from './argocd/evidence.ts'
import type { ObjectWorkload } from './objects.ts'
import { groupOwned } from './owned.ts'
import { differences, type Revision, revisionsOf } from './revisions.ts'
import type { NamedWorkload } from './services.ts'
import { type Place, readWorkloads } from './workloads.ts'

const MAX_REVISIONS = 20

/** What was rolled out, by the revisions that deployments keep, and what Argo CD deployed, where its applications may be read. */
export function createChanges(place: Place): ChangesPort {
  return {
    async list({ services, from, to, signal }) {
      const [all] = await Promise.all([readWorkloads(place, signal), place.applications.settled(signal)])
      const workloads = all.filter(({ service }) => services === 'all' || services.includes(service))
      const owned = groupOwned(place.cache, place.namespaces)
      const changes = [
        ...workloads.filter(({ resource }) => resource === 'deployments').flatMap((each) => rollouts(place, each, owned.replicaSets(each))),
        ...deploymentsOf(place.applications, place.environment, workloads),
      ].filter(({ at }) => at >= from && at <= to)
      const syncs = place.applications.list() === null ? '' : ', and what Argo CD deployed there'
      const query = `revisions of deployments in ${place.namespaces.join(', ')}${syncs}`
      return { query, changes: changes.sort((a, b) => b.at.getTime() - a.at.getTime()) }
    },
  }
}

function rollouts(place: Place, workload: NamedWorkload, replicaSets: readonly ObjectWorkload[]): Change[] {
  const revisions = revisionsOf(workload.object, replicaSets).slice(0, MAX_REVISIONS)
  return revisions.flatMap((revision, index) => {
    const before = revisions[index + 1]
    const [isNewest, at] = [index === 0, momentOf(revision, workload.object, index === 0)]
    return before && at ? [toChange(place, workload, { revision, before, at, isNewest })] : []
  })
}

function toChange(
  { environment }: Place,
  { service, object }: NamedWorkload,
  { revision, before, at, isNewest }: { revision: Revision; before: Revision; at: Date; isNewest: boolean },
): Change {
  const { words, kind } = differences(before.object.spec.template, revision.object.spec.template)
  const [from, to] =
    before.version === revision.version ? [`revision ${before.number}`, `revision ${revision.number}`] : [before.version, revision.version]
  return {
    id: `${object.metadata.uid}/${revision.number}`,
    at,
    kind: revision.isReturn ? 'rollback' : kind,
    service,
    environment,
    summary: `${service} went from ${from} to ${to}${words.length > 0 ? ` (${words.join('; ')})` : ''}`.slice(0, 500),
    by: isNewest ? (lastEditor(object)?.manager ?? null) : null,
    from,
    to,
    link: null,
  }
}

/** A replica set that was used again is older than its latest revision: then whoever last changed the template says when. */
function momentOf({ object, isReturn }: Revision, deployment: ObjectWorkload, isNewest: boolean): Date | null {
  if (!isReturn) return object.metadata.creationTimestamp
  return isNewest ? (lastEditor(deployment)?.time ?? null) : null
}

function lastEditor({ metadata }: ObjectWorkload): { manager: string | null; time: Date | null } | null {
  const edits = metadata.managedFields.filter(({ subresource, ofTemplate, time }) => subresource === null && ofTemplate && time !== null)
  return edits.toSorted((a, b) => (b.time?.getTime() ?? 0) - (a.time?.getTime() ?? 0))[0] ?? null
}
