import { z } from 'zod'
import type { ChangeLine } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, Step } from '../../ports/action.ts'
import type { JsonPatch } from '../api.ts'
import { type Application, AUTO_SYNC_OFF, autoSyncOf, historyOf, revisionWords } from '../argocd/application.ts'
import { ID } from '../faults.ts'
import { CAUTIOUS } from './approval-tiers.ts'
import {
  applicationChange,
  applicationOf,
  argocd,
  concernedBy,
  defaultsFor,
  deploymentsOf,
  observeApplication,
} from './argo-application.ts'
import { backTo, deployedAnew, deploymentLines, deploymentTo, operationMark, operationPatch, probeOperation } from './argo-operation.ts'
import { synced } from './contracts.ts'
import { type Change, callsOf, dryRun, type LiveObject } from './live-object.ts'
import { type ActionDeps, type ActionPlace, placeOf } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.argo-sync',
  version: 1,
  description:
    'Lets Argo CD deploy what the repository of an application says, at the revision that it compares with now, as argocd app sync does; without prune or force.',
  parameters: z.strictObject({ revision: z.string().regex(/^[0-9A-Za-z][\w.+/-]{0,199}$/) }),
  reversibility: 'compensable',
  ...CAUTIOUS,
}

const PINNED = ['uid', 'settings', 'autoSync', 'repository', 'history', 'deployment', 'deployedAs']
/** With the revision it is the most that a card shows. */
const MOST_OBJECTS = 10

export function createArgoSync(deps: ActionDeps): Action {
  const change = (environment: string): Change => {
    const place = placeOf(deps, { environment })
    return applicationChange(place, {
      operations: async (object, step, signal) => await syncOperations(place, object, step, { now: deps.now(), signal }),
      mark: operationMark,
    })
  }
  return {
    definition,
    title: (target, { revision, id }) =>
      typeof id === 'number'
        ? `Put application ${target.name} back to deployment ${id}`
        : `Sync application ${target.name} to ${revisionWords(String(revision))}`,
    // What waits in a repository may be what nobody wants now.
    suggest: async () => null,
    observe: async (where, signal) => await observeApplication(deps, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before } = await dryRun(change(step.target.environment), step, signal)
      const application = applicationOf(before)
      const kept = application.status.resources.filter(({ requiresPruning }) => requiresPruning).length
      const stay = kept === 0 ? '' : `; ${kept} that the repository does not have any more ${kept === 1 ? 'stays' : 'stay'}`
      return {
        changes: typeof step.parameters['id'] === 'number' ? linesBack(before, step) : linesOf(application, step),
        downtime: `none, if update strategies keep pods ready; nothing is pruned${stay}`.slice(0, 200),
        cautions:
          autoSyncOf(application) === AUTO_SYNC_OFF ? [] : ['Its automated sync is on: there is no way back but in the repository.'],
      }
    },
    success: (step, { preconditions }) =>
      synced(placeOf(deps, step.target).verification, [
        ...deployedAnew(preconditions, 1),
        { field: 'deployed', equals: String(step.parameters['revision']) },
      ]),
    probeWords: 'the last operation of the application, or an annotation, holds the id of the execution',
    undo: (step, { preconditions }) => backTo(preconditions, placeOf(deps, step.target).verification),
    ...callsOf(change, probeOperation),
    byHand: {
      defaults: async (where) => await defaultsFor(deps, where, revisionOf),
      noDefaults: 'Argo CD does not say at which revision its repository is.',
      concerns: async (name) => await concernedBy(deps, name),
      command: ({ target, parameters: { revision, id } }) =>
        typeof id === 'number' ? argocd('rollback', target.name, String(id)) : argocd('sync', target.name, '--revision', String(revision)),
    },
  }
}

/** Going back is the undo's alone. */
async function syncOperations(
  place: ActionPlace,
  object: LiveObject,
  { parameters }: Step,
  asked: { now: Date; signal: AbortSignal | undefined },
): Promise<JsonPatch[] | string> {
  const application = applicationOf(object)
  if (typeof parameters['id'] === 'number') {
    const wanted = deploymentTo(object, parameters['id'], parameters['deployedAs'])
    return typeof wanted === 'string' ? wanted : await operationPatch(place, application, wanted, asked)
  }
  const revision = application.status.sync?.revision ?? null
  if (revision === null || revision !== parameters['revision'])
    return `its repository is at ${revisionWords(revision)}, not at ${revisionWords(String(parameters['revision']))}`
  if (outOfStep(application).length === 0 && historyOf(application)[0]?.revision === revision)
    return 'it is in sync already, but for what only pruning would change'
  return await operationPatch(place, application, { revision }, asked)
}

function outOfStep({ status }: Application) {
  return status.resources.filter((each) => each.status === 'OutOfSync' && !each.requiresPruning)
}

/** Argo CD tells which objects differ from the repository, not in what. */
function linesOf(application: Application, { parameters }: Step): ChangeLine[] {
  const objects = outOfStep(application).map(({ kind, namespace, name }) => `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`)
  const line = (field: string): ChangeLine => ({ field: field.slice(0, 200), from: 'out of step', to: 'as the repository says' })
  const more = objects.length - MOST_OBJECTS
  const before = historyOf(application)[0]?.revision ?? null
  const revision = String(parameters['revision'])
  return [
    ...(before === revision ? [] : [{ field: 'revision', from: before, to: revision }]),
    ...objects.slice(0, MOST_OBJECTS).map(line),
    ...(more > 0 ? [line(`${more} more objects`)] : []),
  ]
}

function linesBack(object: LiveObject, { parameters }: Step): ChangeLine[] {
  const wanted = deploymentTo(object, parameters['id'], parameters['deployedAs'])
  if (typeof wanted === 'string') throw new IntegrationError(ID, 'refused', wanted)
  return deploymentLines(deploymentsOf(object)[0] ?? null, wanted)
}

function revisionOf(object: LiveObject): { revision: string } | null {
  const revision = applicationOf(object).status.sync?.revision
  return revision ? { revision } : null
}
