import { z } from 'zod'
import type { Action, ActionDefinition, Step } from '../../ports/action.ts'
import { pathOf } from '../cluster-cache.ts'
import { type Node, nodeSchema } from '../objects.ts'
import { groupOwned } from '../owned.ts'
import { readWorkloads } from '../workloads.ts'
import { fieldIs } from './contracts.ts'
import { type Change, callsOf, dryRun, observe } from './live-object.ts'
import { ownerWords } from './owner-words.ts'
import { type ActionDeps, type ActionPlace, blamed, knownIn, kubectl, placeOf } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.cordon',
  version: 1,
  description:
    'Keeps new pods away from a node, or lets them come again (cordoned=false), as kubectl cordon and uncordon do. Pods that run there stay. At least half of the nodes that are well stay open.',
  parameters: z.strictObject({ cordoned: z.boolean() }),
  reversibility: 'reversible',
  risk: 'caution',
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: false,
  stepUp: 'none',
  maxTtlSeconds: 1_800,
  minCooldownSeconds: 60,
  retry: 'precondition',
  probeHorizonSeconds: 30,
}

const PINNED = ['uid', 'cordoned']
/** Of a node that is not ready or under pressure the platform itself keeps new pods away. */
const CURES = new Set<string>(['node_network_delay', 'node_network_packet_loss', 'kube_proxy_unavailable'])
/** A node belongs to no namespace. */
const NOWHERE = ''

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
        const { spec } = nodeSchema.parse(raw)
        if (spec.unschedulable === isCordoned(step)) return spec.unschedulable ? 'it is cordoned already' : 'it is not cordoned'
        const objection = isCordoned(step) ? tooFewOpen(await nodesOf(place, signal), step.target.name) : null
        return objection ?? [{ op: 'add', path: '/spec/unschedulable', value: isCordoned(step) }]
      },
    }
  }
  return {
    definition,
    title: (target, { cordoned }) => `${cordoned === true ? 'Cordon' : 'Uncordon'} node ${target.name}`,
    async suggest({ class: cause, component }, { environment }) {
      const place = deps.places.get(environment)
      if (!place) return null
      if (cause === 'node_cordon_mismatch' && blamed(component) !== null) return await suggestUncordon(place)
      const name = component.startsWith('node/') ? component.slice('node/'.length) : null
      if (name === null || !CURES.has(cause)) return null
      return { target: { environment, name }, parameters: { cordoned: true }, why: 'New pods go to other nodes.' }
    },
    observe: async (where, signal) =>
      deps.places.has(where.environment) ? await observe(change(where.environment), { ...where, kind: 'Node' }, PINNED, signal) : null,
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const [from, to] = [before.raw, after].map((raw) => nodeSchema.parse(raw).spec.unschedulable)
      const words = isCordoned(step) ? 'none: pods that run there stay, and new ones go elsewhere' : 'none: pods may be placed there again'
      return {
        changes: from === to ? [] : [{ field: 'cordoned', from: from ?? false, to: to ?? false }],
        downtime: `${words}${ownerWords(before.raw, deps.now())}`.slice(0, 200),
      }
    },
    success: (step) => fieldIs([{ field: 'cordoned', equals: isCordoned(step) }]),
    probeWords: 'an annotation of the node holds the id of the execution that changed it last',
    undo: (step) => ({
      parameters: { cordoned: !isCordoned(step) },
      preconditions: [
        { field: 'uid', equals: step.target.uid },
        { field: 'cordoned', equals: isCordoned(step) },
      ],
      success: fieldIs([{ field: 'cordoned', equals: !isCordoned(step) }]),
    }),
    ...callsOf(change),
    byHand: {
      defaults: async () => ({ cordoned: true }),
      async concerns(name) {
        for (const place of deps.places.values())
          if ((await nodesOf(place)).some(({ metadata }) => metadata.name === name))
            return { environment: place.environment, services: await servicesOn(place, name) }
        return null
      },
      command: ({ target, parameters }) => kubectl(deps, target, parameters['cordoned'] === true ? 'cordon' : 'uncordon', target.name),
    },
  }
}

/** Only where one node alone is closed, and well: which of several was closed by mistake nobody can tell from here. */
async function suggestUncordon(place: ActionPlace): Promise<Awaited<ReturnType<Action['suggest']>>> {
  const [closed, ...others] = (await nodesOf(place)).filter(({ spec }) => spec.unschedulable)
  if (!closed || others.length > 0 || !isReady(closed)) return null
  const { name } = closed.metadata
  const why = `${name} is ready, and it is the one node that is cordoned.`
  return { target: { environment: place.environment, name }, parameters: { cordoned: false }, why }
}

async function servicesOn(place: ActionPlace, node: string): Promise<string[]> {
  const workloads = await readWorkloads(place)
  const owned = groupOwned(place.cache, place.namespaces)
  return workloads.filter((each) => owned.pods(each).some(({ spec }) => spec.nodeName === node)).map(({ service }) => service)
}

function tooFewOpen(nodes: readonly Node[], name: string): string | null {
  const well = nodes.filter(isReady)
  const open = well.filter(({ metadata, spec }) => !spec.unschedulable && metadata.name !== name)
  if (open.length * 2 >= well.length && open.length > 0) return null
  return `of ${well.length} nodes that are ready ${open.length} would stay open: at least half have to`
}

function isReady({ status }: Node): boolean {
  return (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
}

/** @throws IntegrationError when they are not known */
async function nodesOf(place: ActionPlace, signal?: AbortSignal): Promise<readonly Node[]> {
  return await knownIn(place, { kind: 'nodes', words: 'there are other nodes' }, NOWHERE, signal)
}

function isCordoned({ parameters }: Pick<Step, 'parameters'>): boolean {
  return parameters['cordoned'] === true
}
