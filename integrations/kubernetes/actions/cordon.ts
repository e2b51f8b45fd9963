import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, Step } from '../../ports/action.ts'
import { pathOf } from '../cluster-cache.ts'
import { ID } from '../faults.ts'
import { type Node, nodeSchema } from '../objects.ts'
import { groupOwned } from '../owned.ts'
import { readWorkloads } from '../workloads.ts'
import { CAUTIOUS } from './approval-tiers.ts'
import { fieldRestored, heldOff } from './contracts.ts'
import { type Change, callsOf, dryRun, observe } from './live-object.ts'
import { ownerWords } from './owner-words.ts'
import { type ActionDeps, type ActionPlace, knownIn, kubectl, placeOf, presentIn } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.cordon',
  version: 1,
  description:
    'Keeps new pods away from a node, or lets them come again (cordoned=false), as kubectl cordon and uncordon do. Pods that run there stay. At least half of the nodes that are well and take any pod stay open.',
  parameters: z.strictObject({ cordoned: z.boolean() }),
  reversibility: 'reversible',
  ...CAUTIOUS,
}

const PINNED = ['uid', 'cordoned']
const QUESTION = { kind: 'nodes', words: 'there are other nodes' } as const
/** A node belongs to no namespace. */
const NOWHERE = ''
/** What keeps new pods away by itself; the one of a cordon says no more than that it is cordoned. */
const HARD = ['NoSchedule', 'NoExecute']
const CORDON_TAINT = 'node.kubernetes.io/unschedulable'

export function createCordon(deps: ActionDeps): Action {
  const change = (environment: string): Change => {
    const place = placeOf(deps, { environment })
    return {
      api: place.api,
      async find(name, signal) {
        const found = (await nodesOf(place, signal)).some(({ metadata }) => metadata.name === name)
        return found ? { path: `${pathOf('nodes', null)}/${encodeURIComponent(name)}`, beside: {} } : null
      },
      fields: ({ raw }) => ({ cordoned: nodeSchema.parse(raw).spec.unschedulable, replicas: 0 }),
      async operations({ raw }, step, signal) {
        const live = nodeSchema.parse(raw)
        if (live.spec.unschedulable === isCordoned(step)) return live.spec.unschedulable ? 'it is cordoned already' : 'it is not cordoned'
        const objection = isCordoned(step) ? await againstClosing(deps, place, step.target.name, signal) : againstOpening(live)
        return objection ?? [{ op: 'add', path: '/spec/unschedulable', value: isCordoned(step) }]
      },
    }
  }
  return {
    definition,
    title: (target, { cordoned }) => `${cordoned === true ? 'Cordon' : 'Uncordon'} node ${target.name}`,
    // Which node to keep pods away from, and when they may come again, is for whoever looked at it.
    suggest: async () => null,
    observe: async (where, signal) =>
      deps.places.has(where.environment) ? await observe(change(where.environment), { ...where, kind: 'Node' }, PINNED, signal) : null,
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const [from, to] = [before.raw, after].map((raw) => nodeSchema.parse(raw).spec.unschedulable)
      const words = isCordoned(step) ? 'none: pods that run there stay, and new ones go elsewhere' : 'none: pods may be placed there again'
      return {
        changes: from === to ? [] : [{ field: 'cordoned', from: from ?? false, to: to ?? false }],
        downtime: `${words}${ownerWords(before.raw, after, deps.now())}`.slice(0, 200),
      }
    },
    success: (step) => heldOff([{ field: 'cordoned', equals: isCordoned(step) }]),
    probeWords: 'an annotation of the node holds the id of the execution that changed it last',
    undo: (step) => ({
      parameters: { cordoned: !isCordoned(step) },
      preconditions: [
        { field: 'uid', equals: step.target.uid },
        { field: 'cordoned', equals: isCordoned(step) },
      ],
      success: fieldRestored([{ field: 'cordoned', equals: !isCordoned(step) }]),
    }),
    ...callsOf(change),
    byHand: {
      defaults: async () => ({ cordoned: true }),
      async concerns(name) {
        const place = await ownerOf(deps, name)
        return place ? { environment: place.environment, services: await servicesOn(place, name) } : null
      },
      command: ({ target, parameters }) => kubectl(deps, target, parameters['cordoned'] === true ? 'cordon' : 'uncordon', target.name),
    },
  }
}

/**
 * The one environment that has a node of this name; null where none has. Of a cluster that cannot be reached nothing is known, which is no reason to
 * leave the nodes of another alone.
 *
 * @throws IntegrationError where several have it: whose rules and people would decide, nobody can tell
 */
async function ownerOf({ places, all }: ActionDeps, name: string, signal?: AbortSignal): Promise<ActionPlace | null> {
  const looked = await Promise.all(all.map(async (place) => ({ place, has: await hasNode(place, name, signal) })))
  const having = looked.filter(({ has }) => has === true).map(({ place }) => place)
  const contexts = new Set(having.map(({ context }) => context))
  // The same context is the same cluster, whether or not this account may list its nodes there.
  const owners = looked.filter(({ place, has }) => has === true || contexts.has(place.context)).map(({ place }) => place)
  const [first, ...others] = owners
  if (others.length > 0) {
    const names = owners.map(({ environment }) => environment).join(', ')
    throw new IntegrationError(ID, 'refused', `node ${name} belongs to several environments (${names}): it is left to people`)
  }
  if (first) return places.get(first.environment) ?? null
  const fault = looked.find(({ place, has }) => has instanceof IntegrationError && places.has(place.environment))?.has
  if (fault instanceof IntegrationError) throw fault
  return null
}

async function hasNode(place: ActionPlace, name: string, signal?: AbortSignal): Promise<boolean | IntegrationError> {
  try {
    return (await nodesOf(place, signal)).some(({ metadata }) => metadata.name === name)
  } catch (error) {
    if (error instanceof IntegrationError) return error
    throw error
  }
}

async function servicesOn(place: ActionPlace, node: string): Promise<string[]> {
  const workloads = await readWorkloads(place)
  const owned = groupOwned(place.cache, place.namespaces)
  return workloads.filter((each) => owned.pods(each).some(({ spec }) => spec.nodeName === node)).map(({ service }) => service)
}

/** @throws IntegrationError when something is not known */
async function againstClosing(deps: ActionDeps, place: ActionPlace, name: string, signal?: AbortSignal): Promise<string | null> {
  await ownerOf(deps, name, signal)
  const well = (await presentIn(place, QUESTION, null, signal)).filter((node) => isReady(node) && hardTaints(node).length === 0)
  const open = well.filter(({ metadata, spec }) => !spec.unschedulable && metadata.name !== name)
  if (open.length * 2 >= well.length && open.length > 0) return null
  return `of ${well.length} nodes that are ready ${open.length} would stay open: at least half have to`
}

function againstOpening(node: Node): string | null {
  const taints = hardTaints(node)
  return taints.length === 0 ? null : `it has the taint ${taints.join(', ')}: whoever set it has to say that pods may come again`
}

function hardTaints({ spec }: Node): string[] {
  return spec.taints.filter(({ key, effect }) => HARD.includes(effect) && key !== CORDON_TAINT).map(({ key }) => key)
}

function isReady({ status }: Node): boolean {
  return (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
}

/** @throws IntegrationError when they are not known */
async function nodesOf(place: ActionPlace, signal?: AbortSignal): Promise<readonly Node[]> {
  return await knownIn(place, QUESTION, NOWHERE, signal)
}

function isCordoned({ parameters }: Pick<Step, 'parameters'>): boolean {
  return parameters['cordoned'] === true
}
