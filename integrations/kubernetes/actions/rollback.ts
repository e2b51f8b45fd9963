import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, Parameters } from '../../ports/action.ts'
import { REVISION } from '../annotations.ts'
import { ID } from '../faults.ts'
import { workloadSchema } from '../objects.ts'
import { versionOf } from '../revisions.ts'
import { CAUTIOUS } from './approval-tiers.ts'
import { restored, rolledOut } from './contracts.ts'
import { type Change, carryOut, digestOf, dryRun, type LiveObject, probeMark, readFields, readObject } from './live-object.ts'
import { differingFields } from './object-diff.ts'
import { ownerNotes } from './owner-words.ts'
import {
  type ActionDeps,
  type ActionPlace,
  blamed,
  findWorkload,
  kubectl,
  observeWorkload,
  pathOfWorkload,
  placeOf,
  replicaSetsOf,
  templateOf,
  withoutHash,
  workloadChange,
} from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.rollback',
  version: 1,
  description: 'Runs the pod template of another revision that a deployment keeps, usually the one before, as kubectl rollout undo does.',
  parameters: z.strictObject({
    /** The number that people know it by. */
    revision: z.int().min(1).max(1_000_000_000),
    /** What decides: the digest of that revision's template. */
    template: z.string().regex(/^[0-9a-f]{16}$/),
  }),
  reversibility: 'compensable',
  ...CAUTIOUS,
}

const RESOURCES = ['deployments'] as const
const PINNED = ['uid', 'template', 'version', 'revision', 'paused']
const CURES = new Set<string>([
  'bad_release',
  'crash_on_start',
  'bad_config_change',
  'incorrect_image_reference',
  'liveness_probe_incorrect_port',
  'liveness_probe_incorrect_protocol',
  'liveness_probe_incorrect_timing',
  'readiness_probe_incorrect_port',
  'readiness_probe_incorrect_protocol',
])
const MOST_LINES = 12

/** A revision as its replica set keeps it. */
interface KeptRevision {
  number: number
  version: string
  template: Record<string, unknown>
  digest: string
}

export function createRollback(deps: ActionDeps): Action {
  const change = (environment: string): Change => {
    const place = placeOf(deps, { environment })
    return workloadChange(place, RESOURCES, async (object, { parameters }, signal) => {
      if (workloadSchema.parse(object.raw).spec.paused) return 'its rollout is paused: nothing would change until it is resumed'
      const wanted = (await keptRevisions(place, object, signal)).find(({ digest }) => digest === parameters['template'])
      if (!wanted) return `revision ${String(parameters['revision'])} is not kept any more, or has another template`
      return [{ op: 'replace', path: '/spec/template', value: wanted.template }]
    })
  }
  return {
    definition,
    title: (target, parameters) => `Roll back ${target.name} to revision ${String(parameters['revision'])}`,
    async suggest({ class: cause, component }, { environment }) {
      const [place, name] = [deps.places.get(environment), blamed(component)]
      if (!CURES.has(cause) || !place || !name) return null
      const before = await revisionBefore(place, name)
      if (!before) return null
      const { current, previous } = before
      return {
        target: { environment, name },
        parameters: parametersOf(previous),
        why: `${name} runs revision ${current.number} (${current.version}); revision ${previous.number} (${previous.version}) ran before it.`,
      }
    },
    observe: async (where, signal) => await observeWorkload(deps, RESOURCES, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const told = ownerNotes(placeOf(deps, step.target), step.target, { before: before.raw, after, now: deps.now() })
      const lines = differingFields(templateOf(before.raw), templateOf(after))
      if (lines.length > MOST_LINES)
        throw new IntegrationError(
          ID,
          'refused',
          `the revisions differ in ${lines.length} fields, more than a card can show; roll back by hand`,
        )
      // Not the revision's number: the controller gives new numbers, and the way back has to show the same lines the other way round.
      const words = `none, if its update strategy keeps pods ready${told.words}`
      return { changes: lines, downtime: words.slice(0, 200), cautions: told.cautions }
    },
    success: (step) =>
      rolledOut(placeOf(deps, step.target).verification, [{ field: 'template', equals: textOf(step.parameters, 'template') }]),
    probeWords: 'an annotation of the deployment holds the id of the execution that changed it last',
    undo(step, { preconditions }) {
      const seen = (field: string) => preconditions.find((each) => each.field === field)?.equals
      const [template, revision] = [seen('template'), seen('revision')]
      if (typeof template !== 'string' || typeof revision !== 'number' || revision < 1) return null
      return {
        parameters: { revision, template },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'template', equals: textOf(step.parameters, 'template') },
        ],
        success: restored(placeOf(deps, step.target).verification, [{ field: 'template', equals: template }]),
      }
    },
    effect: async (step, id, signal) => await carryOut(change(step.target.environment), step, id, signal),
    probe: async (step, id, signal) => await probeMark(change(step.target.environment), step, id, signal),
    readState: async (target, fields, signal) => await readFields(change(target.environment), target, fields, signal),
    byHand: {
      async defaults({ environment, name }) {
        const place = deps.places.get(environment)
        const before = place ? await revisionBefore(place, name) : null
        return before ? parametersOf(before.previous) : null
      },
      noDefaults: 'No revision before the one that runs is kept, so there is none to go back to.',
      command: ({ target, parameters }) => kubectl(deps, target, 'rollout', 'undo', '%', `--to-revision=${String(parameters['revision'])}`),
    },
  }
}

/** The revision that runs and the one before it; null when there are no two. */
async function revisionBefore(place: ActionPlace, name: string): Promise<{ current: KeptRevision; previous: KeptRevision } | null> {
  const found = await findWorkload(place, RESOURCES, name)
  const object = found ? await readObject(place.api, pathOfWorkload(found)) : null
  if (!object) return null
  const digest = digestOf(templateOf(object.raw))
  const kept = await keptRevisions(place, object)
  const current = kept.find((each) => each.digest === digest)
  const previous = current && kept.find((each) => each.number < current.number && each.digest !== digest)
  return current && previous ? { current, previous } : null
}

/** The deployment's own replica sets as they are now, the newest revision first. */
async function keptRevisions(place: ActionPlace, deployment: LiveObject, signal?: AbortSignal): Promise<KeptRevision[]> {
  return (await replicaSetsOf(place, deployment, signal))
    .flatMap(({ raw, object }) => {
      const number = Number(object.metadata.annotations[REVISION] ?? 0)
      const template = withoutHash(templateOf(raw))
      const version = versionOf(object.spec.template, String(number))
      return Number.isInteger(number) && number > 0 ? [{ number, version, template, digest: digestOf(template) }] : []
    })
    .sort((a, b) => b.number - a.number)
}

function parametersOf({ number, digest }: KeptRevision): Parameters {
  return { revision: number, template: digest }
}

function textOf(parameters: Parameters, name: string): string {
  const value = parameters[name]
  return typeof value === 'string' ? value : ''
}
