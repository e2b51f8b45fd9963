import type { Change } from '../../ports/changes.ts'
import { type NamedWorkload, WORKLOAD_KINDS } from '../services.ts'
import {
  type Application,
  AUTO_SYNC_OFF,
  autoSyncOf,
  type Deployed,
  historyOf,
  type Running,
  revisionWords,
  runningOf,
} from './application.ts'
import type { Applications, Placed } from './applications.ts'

const MAX_DEPLOYMENTS = 20
const MAX_MESSAGE = 200
const MAX_NAME = 60
const FAILED = ['Failed', 'Error']

export function placeInCluster({ resource, namespace, object }: NamedWorkload): Placed {
  return { kind: WORKLOAD_KINDS[resource], namespace, name: object.metadata.name }
}

/**
 * What Argo CD deployed of applications that have a part in these services. The kind is 'other': what a sync changed of a deployment is told by the
 * deployment's own revision, and its version is not the commit.
 */
export function deploymentsOf(applications: Applications, environment: string, workloads: readonly NamedWorkload[]): Change[] {
  const managing = applications.managers()
  return workloads.flatMap((workload) =>
    managing(placeInCluster(workload)).flatMap((application) => {
      const history = historyOf(application).slice(0, MAX_DEPLOYMENTS)
      return history.flatMap((deployed, index) => {
        const { deployedAt: at, initiatedBy } = deployed
        if (!at) return []
        const earlier = history.slice(index + 1)
        const [from, to] = [earlier[0] ? revisionWords(earlier[0].revision) : null, revisionWords(deployed.revision)]
        return {
          id: `${application.metadata.uid}/${deployed.id}/${workload.service}`,
          at,
          kind: 'other' as const,
          service: workload.service,
          environment,
          summary: deployedWords(application, deployed, earlier).slice(0, 500),
          by: initiatedBy?.automated ? 'auto-sync' : (initiatedBy?.username ?? null),
          from,
          to,
          link: null,
        }
      })
    }),
  )
}

function deployedWords({ metadata, spec }: Application, { revision }: Deployed, [before, ...older]: readonly Deployed[]): string {
  const what = `application ${metadata.name}${spec.source?.repoURL ? ` from ${withoutAccount(spec.source.repoURL)}` : ''}`
  if (before?.revision === revision) return `Argo CD synced ${what} again, at ${revisionWords(revision)}`
  const verb = older.some((each) => each.revision === revision) ? 'went back to' : 'deployed'
  return `Argo CD ${verb} ${revisionWords(revision)} of ${what}${before ? `, after ${revisionWords(before.revision)}` : ''}`
}

/** A repository's address may hold a password. */
export function withoutAccount(address: string): string {
  return address.replace(/^([a-z+]+:\/\/)[^@/]*@/i, '$1').slice(0, 200)
}

/** How the applications that manage a workload are, and what they are doing: a line each, what runs first. */
export function applicationLines(applications: Applications, workload: NamedWorkload): string[] {
  const told = applications
    .managers()(placeInCluster(workload))
    .map((application) => {
      const { metadata, status } = application
      const [running, state] = [runningOf(application), status.operationState]
      const about = `Argo CD application ${metadata.name.slice(0, MAX_NAME)}`
      const itself = autoSyncOf(application) === AUTO_SYNC_OFF ? 'auto-sync is off' : 'auto-sync is on'
      const how = `${status.sync?.status ?? 'Unknown'} at ${revisionWords(status.sync?.revision ?? null)}, ${status.health?.status ?? 'Unknown'}`
      return {
        running: running ? [`${about}: ${runningWords(running)}${messageWords(running.message)}`] : [],
        rest: [
          `${about}: ${how}; ${itself}`,
          ...(state && FAILED.includes(state.phase)
            ? [`${about}: the last sync ended as ${state.phase}${messageWords(state.message)}`]
            : []),
        ],
      }
    })
  return [...told.flatMap(({ running }) => running), ...told.flatMap(({ rest }) => rest)]
}

function messageWords(message: string | null): string {
  return message ? `: ${message.slice(0, MAX_MESSAGE).toWellFormed()}` : ''
}

/** 'syncs to 3f2a1bc0 since 10:42 UTC (anna)'. */
export function runningWords({ since, by, revision }: Running): string {
  const start = since ? ` since ${since.toISOString().slice(11, 16)} UTC` : ''
  return `syncs to ${revisionWords(revision)}${start}${by ? ` (${by.slice(0, MAX_NAME).toWellFormed()})` : ''}`
}
