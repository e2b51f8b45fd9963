import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, Parameters } from '../../ports/action.ts'
import { revisionWords } from '../argocd/application.ts'
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
import { type ActionDeps, placeOf } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.argo-rollback',
  version: 1,
  description:
    'Lets Argo CD deploy an earlier entry of an application’s history again, usually the one before, as argocd app rollback does; without prune. Only while its automated sync is off.',
  /** As argocd app history numbers it. */
  parameters: z.strictObject({ id: z.int().min(0).max(1_000_000_000) }),
  reversibility: 'compensable',
  ...CAUTIOUS,
  // It comes right after the pause of the same application; what was deployed meanwhile refuses it anyway.
  minCooldownSeconds: 0,
}

/** All of the history, so that the number stands for what it stood for on the card. */
const PINNED = ['uid', 'settings', 'autoSync', 'history', 'deployment', 'deployedAs']
const MOST_LINES = 12

export function createArgoRollback(deps: ActionDeps): Action {
  const change = (environment: string): Change => {
    const place = placeOf(deps, { environment })
    return applicationChange(place, {
      async operations(object, { parameters }, signal) {
        const wanted = deploymentTo(object, parameters['id'], parameters['deployedAs'])
        if (typeof wanted === 'string') return wanted
        return await operationPatch(place, applicationOf(object), wanted, { now: deps.now(), signal })
      },
      mark: operationMark,
    })
  }
  return {
    definition,
    title: (target, { id }) => `Roll back application ${target.name} to deployment ${String(id)}`,
    // What the repository says stays as it is: whether to go back without it is a person's idea.
    suggest: async () => null,
    observe: async (where, signal) => await observeApplication(deps, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before } = await dryRun(change(step.target.environment), step, signal)
      const wanted = deploymentTo(before, step.parameters['id'], step.parameters['deployedAs'])
      if (typeof wanted === 'string') throw new IntegrationError(ID, 'refused', wanted)
      const changes = deploymentLines(deploymentsOf(before)[0] ?? null, wanted)
      if (changes.length > MOST_LINES)
        throw new IntegrationError(ID, 'refused', `the deployments differ in ${changes.length} fields, more than a card can show`)
      const repository = revisionWords(applicationOf(before).status.sync?.revision ?? null)
      return {
        changes,
        downtime: 'none, if update strategies keep pods ready; nothing is pruned',
        cautions: [`The repository still says ${repository}: the next sync, or automated sync turned on, brings that back.`],
      }
    },
    success: (step, { preconditions }) => synced(placeOf(deps, step.target).verification, deployedAnew(preconditions, 1)),
    probeWords: 'the last operation of the application, or an annotation, holds the id of the execution',
    undo: (step, { preconditions }) => backTo(preconditions, placeOf(deps, step.target).verification),
    ...callsOf(change, probeOperation),
    byHand: {
      defaults: async (where) => await defaultsFor(deps, where, previousOf),
      noDefaults: 'Its history keeps no deployment before the one that runs, so there is none to go back to.',
      concerns: async (name) => await concernedBy(deps, name),
      command: ({ target, parameters }) => argocd('rollback', target.name, String(parameters['id'])),
    },
  }
}

/** The newest entry that deploys something else than the one that runs. */
function previousOf(object: LiveObject): Parameters | null {
  const [newest, ...earlier] = deploymentsOf(object)
  const previous = newest && earlier.find(({ digest }) => digest !== newest.digest)
  return previous ? { id: previous.id } : null
}
