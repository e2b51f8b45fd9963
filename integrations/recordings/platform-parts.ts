import type { PlatformPart, PodState } from '../ports/cluster-state.ts'
import type { Answer } from './answers.ts'

const IS_DOWN = /inactive|dead|failed|not running|stopped|unavailable|exited|false/i
/** The parts of the platform whose pods run in a namespace of their own. */
const SYSTEM_PARTS = ['kube-scheduler', 'kube-proxy', 'kube-controller-manager', 'coredns'] as const

/**
 * Parts of the platform, as service managers and their own pods tell of them; null when neither was asked.
 * @param system the pods of the platform's own namespace, where they were asked for
 */
export function partsOf(answers: readonly Answer[], system: readonly PodState[] | null): PlatformPart[] | null {
  const asked = answers.filter(({ tool }) => tool === 'node_service')
  if (asked.length === 0 && system === null) return null
  const told = asked.map(({ args, text }) => ({
    name: args.service ?? '',
    node: args.node ?? null,
    healthy: isUp(text),
    words: text.slice(0, 400),
  }))
  return [...told, ...systemParts(system ?? [])]
}

/** What a service manager says of its state counts, and not the words of the log that it prints below. */
function isUp(text: string): boolean {
  const active = /^\s*Active:\s*(\S+)/im.exec(text)?.[1]
  return active === undefined ? !IS_DOWN.test(text) : active.toLowerCase() === 'active'
}

/** A part is down where a pod of it does not run, and the scheduler where the others of its kind are there and it is not. */
function systemParts(pods: readonly PodState[]): PlatformPart[] {
  const ill = pods.flatMap(({ name, node, phase, containers }): PlatformPart[] => {
    const part = SYSTEM_PARTS.find((each) => name.startsWith(each))
    const isReady = phase === 'Running' && containers.every(({ ready }) => ready)
    if (part === undefined || isReady) return []
    const isOfNode = part === 'kube-proxy'
    return [{ name: part, node: isOfNode ? node : null, healthy: false, words: `${name} is ${containers[0]?.state.reason ?? phase}` }]
  })
  const isScheduler = pods.some(({ name }) => name.startsWith('kube-scheduler'))
  const isSelfHosted = pods.some(({ name }) => name.startsWith('kube-apiserver'))
  return isSelfHosted && !isScheduler
    ? [...ill, { name: 'kube-scheduler', node: null, healthy: false, words: 'no pod of kube-scheduler is there' }]
    : ill
}
