import type { Call, State } from './ledger.ts'

export type Verdict = { verdict: 'applied'; state: State } | { verdict: 'unchanged' | 'conflict'; words: string }

/** How the API of one kind of resource answers a change. Seconds are the cloud's clock. */
export interface ResourceRule {
  initial(name: string): State
  change(state: State, call: Call, now: number): Verdict
}

const applied = (state: State): Verdict => ({ verdict: 'applied', state })
const unchanged = (words: string): Verdict => ({ verdict: 'unchanged', words })
const conflict = (words: string): Verdict => ({ verdict: 'conflict', words })

/** How many changes a resource went through; new ids are made of it. */
function next(state: State): number {
  return Number(state['changes']) + 1
}

function guarded(field: string, change: (state: State, call: Call) => State): ResourceRule['change'] {
  return (state, call) =>
    state[field] === call.guard[field] ? applied(change(state, call)) : conflict(`${field} is ${String(state[field])} by now`)
}

/**
 * The rows of the pattern table. Only what the real API offers guards a change: a restart by resource version, a pod by its uid, an alias by its
 * revision; a forced deployment and a reboot by nothing, so that a second call is a second effect.
 */
export const RESOURCES: Readonly<Record<string, ResourceRule>> = {
  'k8s.restart': {
    initial: () => ({ generation: 1, resourceVersion: 1, restartedBy: null }),
    change: guarded('resourceVersion', (state, { tag }) => ({
      ...state,
      generation: Number(state['generation']) + 1,
      resourceVersion: Number(state['resourceVersion']) + 1,
      restartedBy: tag,
    })),
  },
  'k8s.scale': {
    initial: () => ({ replicas: 2, hpaOwner: null, resourceVersion: 1, managedBy: null }),
    change: guarded('resourceVersion', (state, { parameters, tag }) => ({
      ...state,
      replicas: parameters['replicas'] ?? null,
      resourceVersion: Number(state['resourceVersion']) + 1,
      managedBy: tag,
    })),
  },
  'k8s.rollback': {
    initial: () => ({ hash: 'rs-2', previous: 'rs-1' }),
    change: guarded('hash', (state, { parameters }) => ({ ...state, hash: parameters['hash'] ?? null, previous: state['hash'] ?? null })),
  },
  'k8s.delete-pod': {
    initial: (name) => ({ uid: `${name}-0` }),
    change: guarded('uid', (state, { name }) => ({ ...state, uid: `${name}-${next(state)}` })),
  },
  'argo.rollback': {
    initial: () => ({ revision: 'r2', historyId: 2, autoSync: 'off', window: 'open', operationBy: null, operationUntil: 0 }),
    change(state, { parameters, tag }, now) {
      if (Number(state['operationUntil']) > now) return conflict('another operation is already in progress')
      if (state['historyId'] === parameters['historyId']) return unchanged('this revision is deployed')
      const historyId = parameters['historyId'] ?? null
      return applied({ ...state, historyId, revision: `r${historyId}`, operationBy: tag, operationUntil: now + 2 })
    },
  },
  'asg.capacity': {
    initial: () => ({ desired: 2, min: 1, max: 10 }),
    change: (state, { parameters }) =>
      state['desired'] === parameters['desired']
        ? unchanged('the capacity is that already')
        : applied({ ...state, desired: parameters['desired'] ?? null }),
  },
  'ecs.force-deploy': {
    initial: () => ({ taskDefinition: 'shop:7', deployment: 'ecs-0' }),
    change: (state) => applied({ ...state, deployment: `ecs-${next(state)}` }),
  },
  'lambda.alias': {
    initial: () => ({ version: '5', revisionId: 'rev-0' }),
    change: guarded('revisionId', (state, { parameters }) => ({
      ...state,
      version: parameters['version'] ?? null,
      revisionId: `rev-${next(state)}`,
    })),
  },
  'ec2.reboot': {
    initial: () => ({ state: 'running', instanceStore: false, bootTime: 'boot-0' }),
    change: (state) => applied({ ...state, bootTime: `boot-${next(state)}` }),
  },
  'certificate.renew': {
    initial: () => ({ serial: 'serial-0', notAfter: 'soon' }),
    // The authority answers a second order for the same certificate with the first one.
    change: (state, { guard }) =>
      state['serial'] === guard['serial'] ? applied({ ...state, serial: `serial-${next(state)}` }) : unchanged('the order is fulfilled'),
  },
  'disk.clean-up': {
    initial: () => ({ inodes: '01 02 03' }),
    change: (state, { parameters }) =>
      state['inodes'] === parameters['inodes']
        ? applied({ ...state, inodes: `${next(state)}1 ${next(state)}2 ${next(state)}3` })
        : unchanged('none of the listed files is there'),
  },
  'sqs.purge': {
    initial: () => ({ depth: 120, sample: 'oldest-0', purgedUntil: 0 }),
    change: (state, _call, now) =>
      Number(state['purgedUntil']) > now
        ? conflict('a purge of this queue is in progress')
        : applied({ ...state, depth: 0, sample: `oldest-${next(state)}`, purgedUntil: now + 60 }),
  },
  'rds.failover': {
    initial: () => ({ writer: 'db-1', reader: 'db-2' }),
    change: (state, { parameters }) =>
      state['writer'] === parameters['writer']
        ? conflict('this instance is the writer already')
        : applied({ ...state, writer: parameters['writer'] ?? null, reader: state['writer'] ?? null }),
  },
}

/** What every resource has besides: whether it works, and whether its health can be seen. */
export const COMMON: State = { changes: 0, healthy: true, visible: true }
