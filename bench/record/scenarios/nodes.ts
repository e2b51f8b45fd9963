import type { Fault, NodeChange, Scenarios, Target } from '../scenario.ts'
import { callTree } from '../told.ts'
import { victims } from './start.ts'

const STATUS = (service: string, state: string): string =>
  `● ${service}.service\n   Loaded: loaded (/lib/systemd/system/${service}.service; enabled)\n   Active: ${state}`
const UP = 'active (running) since Mon 2026-11-16 08:00:11 UTC; 5 days ago'
const DOWN = 'inactive (dead) since Sun 2026-11-22 05:58:02 UTC; 12min ago'
const SERVICES = ['kubelet', 'containerd', 'kube-proxy'] as const

export const nodeScenarios: Scenarios = {
  kubelet_unavailable: (target) =>
    onNode(
      target,
      { Ready: { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' } },
      target.variant === 0 ? 'kubelet' : null,
      ['NodeNotReady', `Node ${nodeOf(target)} status is now: NodeNotReady`],
    ),
  containerd_unavailable: (target) =>
    onNode(
      target,
      {
        Ready: {
          status: 'False',
          reason: 'KubeletNotReady',
          message: target.pick([
            '[container runtime is down, PLEG is not healthy: pleg was last seen active 3m12s ago; threshold is 3m0s]',
            'container runtime is down',
            'container runtime status check may not have completed yet',
          ]),
        },
      },
      target.variant === 1 ? null : 'containerd',
      [
        'ContainerGCFailed',
        'rpc error: code = Unavailable desc = connection error: dial unix /run/containerd/containerd.sock: connect: connection refused',
      ],
    ),
  kube_proxy_unavailable: (target) => ({ ...onNode(target, {}, 'kube-proxy', null), logs: victims(target, 'i/o timeout') }),
  node_memory_pressure: (target) =>
    onNode(
      target,
      { MemoryPressure: { status: 'True', reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' } },
      null,
      ['EvictionThresholdMet', 'Attempting to reclaim memory'],
    ),
  node_disk_pressure: (target) =>
    onNode(target, { DiskPressure: { status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' } }, null, [
      'EvictionThresholdMet',
      'Attempting to reclaim ephemeral-storage',
    ]),
  node_pid_pressure: (target) =>
    onNode(
      target,
      { PIDPressure: { status: 'True', reason: 'KubeletHasInsufficientPID', message: 'kubelet has insufficient PID available' } },
      null,
      ['NodeHasInsufficientPID', `Node ${nodeOf(target)} status is now: NodeHasInsufficientPID`],
    ),
}

/** The second node of the system is the one in trouble. */
function nodeOf({ system }: Target): string {
  return system.nodes[1] ?? ''
}

function onNode(
  target: Target,
  conditions: NonNullable<NodeChange['conditions']>,
  part: (typeof SERVICES)[number] | null,
  told: readonly [string, string] | null,
): Fault {
  const node = nodeOf(target)
  const asked = part === null ? [] : target.system.nodes.flatMap((each) => SERVICES.map((service) => ({ each, service })))
  return {
    component: `node/${node}`,
    question: target.pick(['Some pods do not answer.', `Errors in ${target.system.id}.`, 'What is wrong in this namespace?']),
    nodes: [undefined, { conditions }],
    events: told ? [{ about: { kind: 'Node', name: node }, reason: told[0], message: told[1], first: 11, last: 1, count: 4 }] : [],
    logs: victims(target, 'i/o timeout'),
    answers: [
      ...asked.map(({ each, service }) => ({
        tool: 'node_service',
        args: { node: each, service },
        text: STATUS(service, each === node && service === part ? DOWN : UP),
      })),
      callTree(target),
    ],
  }
}
