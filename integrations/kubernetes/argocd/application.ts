import { z } from 'zod'
import { flag, list, maybeText, metaSchema, moment, text } from '../objects.ts'

/**
 * The fields of an Application of Argo CD (argoproj.io/v1alpha1) that are read, lenient as its controller: what is missing has no value, what is not
 * named here is dropped. `operation` is a request that the controller has not taken yet; what it took is in `status.operationState`.
 */
const infoSchema = z.object({ name: text, value: text })
const operationSchema = z.object({
  initiatedBy: z.object({ username: maybeText, automated: flag }).nullish(),
  info: list(infoSchema, 50),
  sync: z.object({ revision: maybeText }).nullish(),
})
export type Operation = z.output<typeof operationSchema>

const stateSchema = z.object({
  phase: text,
  message: maybeText,
  startedAt: moment,
  finishedAt: moment,
  operation: operationSchema.nullish().catch(null),
  syncResult: z.object({ revision: maybeText }).nullish().catch(null),
})

const resourceSchema = z.object({
  group: z.string().catch('').default(''),
  kind: text,
  namespace: z.string().catch('').default(''),
  name: text,
  status: maybeText,
  requiresPruning: flag,
})
export type Managed = z.output<typeof resourceSchema>

const deploymentSchema = z.object({
  id: z.int(),
  revision: z.string().catch('').default(''),
  deployedAt: moment,
  initiatedBy: z.object({ username: maybeText, automated: flag }).nullish().catch(null),
})
/** One entry of its history: what was deployed, the newest with the highest id. */
export type Deployed = z.output<typeof deploymentSchema>

const statusSchema = z.object({
  sync: z.object({ status: maybeText, revision: maybeText }).nullish().catch(null),
  health: z.object({ status: maybeText }).nullish().catch(null),
  reconciledAt: moment,
  operationState: stateSchema.nullish().catch(null),
  history: list(deploymentSchema, 200),
  resources: list(resourceSchema, 5_000),
})

export const applicationSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    project: z.string().catch('default').default('default'),
    destination: z.object({ server: maybeText, name: maybeText, namespace: maybeText }),
    source: z.looseObject({ repoURL: maybeText }).nullish(),
    sources: list(z.looseObject({}), 50),
    syncPolicy: z
      .object({
        automated: z.record(z.string(), z.unknown()).nullish(),
        syncOptions: list(z.string(), 50),
      })
      .nullish(),
  }),
  operation: operationSchema.nullish(),
  status: statusSchema.nullish().transform((value) => value ?? statusSchema.parse({})),
})
export type Application = z.output<typeof applicationSchema>

/** Its own cluster, as Argo CD calls it. Other destinations are other clusters. */
const OWN_SERVER = 'https://kubernetes.default.svc'
const OWN_NAME = 'in-cluster'
export const AUTO_SYNC_OFF = 'off'

/** Whether it deploys into the cluster that it is in itself. */
export function isDeployedHere({ spec: { destination } }: Application): boolean {
  return destination.server === OWN_SERVER || destination.name === OWN_NAME
}

/** How it syncs by itself, as its settings say in JSON; 'off' where it does not. */
export function autoSyncOf({ spec }: Pick<Application, 'spec'>): string {
  const automated = spec.syncPolicy?.automated
  return automated && automated['enabled'] !== false ? JSON.stringify(automated) : AUTO_SYNC_OFF
}

/** What it deploys at this moment, or is about to; null when nothing does. */
export interface Running {
  since: Date | null
  /** A user of Argo CD; null where it syncs by itself, or nobody is named. */
  by: string | null
  revision: string | null
  message: string | null
}

const UNDER_WAY = ['Running', 'Terminating']

export function runningOf({ operation, status }: Pick<Application, 'operation' | 'status'>): Running | null {
  const state = status.operationState
  if (state && UNDER_WAY.includes(state.phase))
    return {
      since: state.startedAt,
      by: state.operation?.initiatedBy?.username ?? null,
      revision: state.syncResult?.revision || state.operation?.sync?.revision || null,
      message: state.message,
    }
  if (!operation) return null
  return { since: null, by: operation.initiatedBy?.username ?? null, revision: operation.sync?.revision || null, message: null }
}

/** What was deployed, the newest first. */
export function historyOf({ status }: Pick<Application, 'status'>): Deployed[] {
  return status.history.toSorted((a, b) => b.id - a.id)
}

const SHA = /^[0-9a-f]{40}([0-9a-f]{24})?$/
const SHOWN = 40

/** As people write it: the beginning of a commit, anything else as it is. */
export function revisionWords(revision: string | null): string {
  if (!revision) return 'an unknown revision'
  return SHA.test(revision) ? revision.slice(0, 8) : revision.slice(0, SHOWN).toWellFormed()
}
