import { z } from 'zod'
import type { Action, ActionDefinition, Step } from '../../ports/action.ts'
import type { JsonPatch } from '../api.ts'
import { AUTO_SYNC_OFF, autoSyncOf } from '../argocd/application.ts'
import { SAFE } from './approval-tiers.ts'
import { applicationChange, applicationFields, applicationOf, argocd, concernedBy, observeApplication } from './argo-application.ts'
import { fieldRestored, heldOff } from './contracts.ts'
import { callsOf, dryRun, type LiveObject } from './live-object.ts'
import { ownerWords } from './owner-words.ts'
import { type ActionDeps, placeOf } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.argo-pause',
  version: 1,
  description:
    'Turns the automated sync of an application of Argo CD off, as argocd app set --sync-policy none does: what runs stays as it is. To turn it on again, as it was, is the undo alone.',
  parameters: z.strictObject({ autoSync: z.literal(AUTO_SYNC_OFF) }),
  reversibility: 'reversible',
  ...SAFE,
}

const PINNED = ['uid', 'autoSync']
const settingsSchema = z.record(z.string(), z.unknown())

export function createArgoPause(deps: ActionDeps): Action {
  const change = (environment: string) =>
    applicationChange(placeOf(deps, { environment }), {
      operations: async (object, step) => (isPause(step) ? turnOff(object) : turnOn(object, step)),
    })
  return {
    definition,
    title: (target, parameters) => `${isPause({ parameters }) ? 'Pause' : 'Resume'} the automated sync of application ${target.name}`,
    // Whether a repository may go on deploying is for whoever looks after it.
    suggest: async () => null,
    observe: async (where, signal) => await observeApplication(deps, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const now = { ...before, raw: after as LiveObject['raw'] }
      const [from, to] = [before, now].map((object) => applicationFields(object)['autoSync'] ?? null)
      const words = isPause(step)
        ? 'none: what runs stays, and nothing new is deployed by itself'
        : 'none by itself: what the repository says by then is deployed'
      return {
        changes: from === to ? [] : [{ field: 'autoSync', from: from ?? null, to: to ?? null }],
        downtime: `${words}${ownerWords(before.raw, after, deps.now())}`.slice(0, 200),
      }
    },
    success: (step) => heldOff([{ field: 'autoSync', equals: String(step.parameters['autoSync']) }]),
    probeWords: 'an annotation of the application holds the id of the execution that changed it last',
    undo(step, { preconditions }) {
      const before = preconditions.find(({ field }) => field === 'autoSync')?.equals
      if (typeof before !== 'string' || before === AUTO_SYNC_OFF) return null
      return {
        parameters: { autoSync: before },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'autoSync', equals: AUTO_SYNC_OFF },
        ],
        success: fieldRestored([{ field: 'autoSync', equals: before }]),
      }
    },
    ...callsOf(change),
    byHand: {
      defaults: async () => ({ autoSync: AUTO_SYNC_OFF }),
      concerns: async (name) => await concernedBy(deps, name),
      command: ({ target, parameters }) => argocd('set', target.name, '--sync-policy', ...policyOf(parameters['autoSync'])),
    },
  }
}

function turnOff(object: LiveObject): JsonPatch[] | string {
  const application = applicationOf(object)
  const text = applicationFields(object)['autoSync']
  if (text === AUTO_SYNC_OFF) return 'it does not sync by itself as it is'
  if (text !== autoSyncOf(application)) return 'its automated sync has more settings than an undo could put back: pause it by hand'
  const path = '/spec/syncPolicy/automated'
  return [
    { op: 'test', path, value: application.spec.syncPolicy?.automated },
    { op: 'remove', path },
  ]
}

/** The settings as they were, in the order in which they were. */
function turnOn(object: LiveObject, { parameters }: Step): JsonPatch[] | string {
  const { syncPolicy } = applicationOf(object).spec
  if (syncPolicy?.automated) return 'somebody set its automated sync meanwhile'
  const automated = settingsSchema.parse(JSON.parse(String(parameters['autoSync'])))
  if (!syncPolicy) return [{ op: 'add', path: '/spec/syncPolicy', value: { automated } }]
  return [{ op: 'add', path: '/spec/syncPolicy/automated', value: automated }]
}

function isPause({ parameters }: Pick<Step, 'parameters'>): boolean {
  return parameters['autoSync'] === AUTO_SYNC_OFF
}

function policyOf(autoSync: unknown): string[] {
  if (typeof autoSync !== 'string' || !autoSync.startsWith('{')) return ['none']
  const settings = settingsSchema.parse(JSON.parse(autoSync))
  const flags = { prune: '--auto-prune', selfHeal: '--self-heal', allowEmpty: '--allow-empty' }
  return ['automated', ...Object.entries(flags).flatMap(([name, flag]) => (settings[name] === true ? [flag] : []))]
}
