import { z } from 'zod'
import type { Action, ActionDefinition, Step } from '../../ports/action.ts'
import { workloadSchema } from '../objects.ts'
import { SAFE } from './approval-tiers.ts'
import { fieldRestored, heldOff } from './contracts.ts'
import { callsOf, dryRun } from './live-object.ts'
import { ownerNotes } from './owner-words.ts'
import { type ActionDeps, kubectl, observeWorkload, placeOf, workloadChange, workloadFields } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.pause',
  version: 1,
  description:
    'Pauses the rollout of a deployment, as kubectl rollout pause does. To resume it is the undo alone: it rolls out what was set meanwhile.',
  parameters: z.strictObject({ paused: z.literal(true) }),
  reversibility: 'reversible',
  ...SAFE,
}

const RESOURCES = ['deployments'] as const
/** The template, because to resume is to roll it out: the undo, too, resumes only the one that was seen. */
const PINNED = ['uid', 'template', 'paused']

export function createPause(deps: ActionDeps): Action {
  const change = (environment: string) =>
    workloadChange(placeOf(deps, { environment }), RESOURCES, async (object, step) => {
      const wanted = isPaused(step)
      if (workloadFields(object)['paused'] === wanted) return wanted ? 'its rollout is paused already' : 'its rollout is not paused'
      return [{ op: 'add', path: '/spec/paused', value: wanted }]
    })
  return {
    definition,
    title: (target, { paused }) => `${paused === true ? 'Pause' : 'Resume'} the rollout of ${target.name}`,
    // A rollout that does harm is rolled back; to hold one that may is a person's idea.
    suggest: async () => null,
    observe: async (where, signal) => await observeWorkload(deps, RESOURCES, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const told = ownerNotes(placeOf(deps, step.target), step.target, { before: before.raw, after, now: deps.now() })
      const [from, to] = [before.raw, after].map((raw) => workloadSchema.parse(raw).spec.paused)
      const words = isPaused(step)
        ? 'none: pods stay as they are, and nothing rolls out until it is resumed'
        : 'none: the template is the one that was there when it was paused'
      return {
        changes: from === to ? [] : [{ field: 'paused', from: from ?? false, to: to ?? false }],
        downtime: `${words}${told.words}`.slice(0, 200),
        cautions: told.cautions,
      }
    },
    success: (step) => heldOff([{ field: 'paused', equals: isPaused(step) }]),
    probeWords: 'an annotation of the deployment holds the id of the execution that changed it last',
    undo: (step, { preconditions }) => ({
      parameters: { paused: false },
      preconditions: [
        { field: 'uid', equals: step.target.uid },
        ...preconditions.filter(({ field }) => field === 'template'),
        { field: 'paused', equals: true },
      ],
      success: fieldRestored([{ field: 'paused', equals: false }]),
    }),
    ...callsOf(change),
    byHand: {
      defaults: async () => ({ paused: true }),
      command: ({ target, parameters }) => kubectl(deps, target, 'rollout', parameters['paused'] === true ? 'pause' : 'resume', '%'),
    },
  }
}

function isPaused({ parameters }: Pick<Step, 'parameters'>): boolean {
  return parameters['paused'] === true
}
