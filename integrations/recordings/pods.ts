import type { Condition, ContainerPhase, ContainerState, PlatformEvent, PodState } from '../ports/cluster-state.ts'
import { type Section, sectionNamed, textOf, valuesOf } from './describe.ts'
import { podSpecOfDescription } from './described-pods.ts'
import { labelsIn, momentOf } from './tables.ts'

/** What the STATUS column says besides the phases: why containers wait or how they ended. */
const PHASES = new Set(['Running', 'Pending', 'Succeeded', 'Failed', 'Unknown'])
const ENDED = new Set(['Completed', 'Error', 'OOMKilled', 'ContainerCannotRun', 'DeadlineExceeded'])

/** One row of `get pods`: the containers are told together. */
export function podOfRow(row: Record<string, string>, at: Date): PodState {
  const { NAME: name = '', STATUS: status = '' } = row
  const [ready = 0, all = 1] = (row['READY'] ?? '').split('/').map(Number)
  const reason = status.replace(/^Init:/, '')
  const isPhase = PHASES.has(status)
  const kind = status === 'Running' ? 'running' : ENDED.has(reason) ? 'terminated' : 'waiting'
  const phase: ContainerPhase = { kind, reason: isPhase ? null : reason, message: null, exitCode: null, startedAt: null, finishedAt: null }
  const restarts = Number.parseInt(row['RESTARTS'] ?? '0', 10) || 0
  const lastEnd = momentOf(/\(([^)]+) ago\)/.exec(row['RESTARTS'] ?? '')?.[1], at)
  const last: ContainerPhase | null = lastEnd && {
    kind: 'terminated',
    reason: null,
    message: null,
    exitCode: null,
    startedAt: null,
    finishedAt: lastEnd,
  }
  return {
    name,
    labels: labelsIn(row['LABELS']),
    owner: null,
    workload: workloadOf(name),
    node: noneOr(row['NODE']),
    phase: phaseOf(status),
    reason: status === 'Evicted' ? status : null,
    message: null,
    createdAt: momentOf(row['AGE'], at),
    startedAt: momentOf(row['AGE'], at),
    deletedAt: status === 'Terminating' ? at : null,
    conditions: [],
    containers: Array.from({ length: all }, (_, i) => ({
      name: `${i + 1}`,
      image: null,
      isInit: false,
      ready: i < ready,
      restarts: i === all - 1 ? restarts : 0,
      state: i < ready ? { ...phase, kind: 'running' as const, reason: null } : phase,
      last: i === all - 1 ? last : null,
    })),
    spec: null,
  }
}

function phaseOf(status: string): string {
  if (PHASES.has(status)) return status
  if (status === 'Completed') return 'Succeeded'
  if (status === 'Evicted') return 'Failed'
  return /ContainerCreating|^Init:|ErrImage|ImagePull|InvalidImage|CreateContainer|SchedulingGated/.test(status) ? 'Pending' : 'Running'
}

/** One described pod, which knows more than its row. */
export function podOfDescription(sections: readonly Section[], at: Date): PodState {
  const name = textOf(sections, 'Name') ?? ''
  const [kind, owner] = (textOf(sections, 'Controlled By') ?? '').split('/')
  const status = textOf(sections, 'Status') ?? 'Unknown'
  const started = dateOf(textOf(sections, 'Start Time'))
  return {
    name,
    labels: labelsIn(valuesOf(sections, 'Labels').join(',')),
    owner: kind && owner ? { kind, name: owner } : null,
    workload: workloadOf(name),
    node: noneOr(textOf(sections, 'Node')?.split('/')[0]),
    phase: status.split(' ')[0] === 'Terminating' ? 'Running' : (status.split(' ')[0] ?? 'Unknown'),
    reason: textOf(sections, 'Reason'),
    message: textOf(sections, 'Message'),
    createdAt: started,
    startedAt: started,
    deletedAt: status.startsWith('Terminating') ? at : null,
    conditions: conditionsOf(sectionNamed(sections, 'Conditions')),
    containers: [
      ...containersOf(sectionNamed(sections, 'Init Containers'), true),
      ...containersOf(sectionNamed(sections, 'Containers'), false),
    ],
    spec: podSpecOfDescription(sections),
  }
}

function conditionsOf(section: Section | undefined): Condition[] {
  return (section?.children ?? []).flatMap(({ line }): Condition[] => {
    const [type = '', status = ''] = line.split(/\s+/)
    return status === 'True' || status === 'False' || status === 'Unknown'
      ? [{ type, status, reason: null, message: null, since: null }]
      : []
  })
}

function containersOf(section: Section | undefined, isInit: boolean): ContainerState[] {
  return (section?.children ?? []).map(({ key, children }) => ({
    name: key,
    image: textOf(children, 'Image'),
    isInit,
    ready: textOf(children, 'Ready') === 'True',
    restarts: Number(textOf(children, 'Restart Count') ?? 0),
    state: phaseIn(sectionNamed(children, 'State')),
    last: sectionNamed(children, 'Last State') ? phaseIn(sectionNamed(children, 'Last State')) : null,
  }))
}

function phaseIn(section: Section | undefined): ContainerPhase {
  const kind = section?.value.toLowerCase()
  const code = textOf(section?.children, 'Exit Code')
  return {
    kind: kind === 'running' || kind === 'waiting' || kind === 'terminated' ? kind : 'unknown',
    reason: textOf(section?.children, 'Reason'),
    message: valuesOf(section?.children, 'Message').join('\n') || null,
    exitCode: code === null ? null : Number(code),
    startedAt: dateOf(textOf(section?.children, 'Started')),
    finishedAt: dateOf(textOf(section?.children, 'Finished')),
  }
}

/** The Events section of a described object: Type, Reason, Age, From, Message. */
export function eventsOfDescription(sections: readonly Section[], kind: string, at: Date): PlatformEvent[] {
  const name = textOf(sections, 'Name') ?? ''
  const lines = sectionNamed(sections, 'Events')?.children ?? []
  return lines.flatMap(({ line }): PlatformEvent[] => {
    const match = /^(Normal|Warning)\s+(\S+)\s+(\S+(?: \(x\d+ over [^)]+\))?)\s+(\S+(?:, \S+)?)\s+(.*)$/.exec(line)
    if (!match) return []
    const [, type = '', reason = '', age = '', , message = ''] = match
    const [, times = '1', over] = /\(x(\d+) over ([^)]+)\)/.exec(age) ?? []
    return [
      {
        type: type === 'Warning' ? 'Warning' : 'Normal',
        reason,
        message,
        object: { kind, name },
        count: Number(times),
        firstAt: momentOf(over ?? age, at),
        lastAt: momentOf(age.split(' ')[0], at),
      },
    ]
  })
}

/** `payments-7f9dd8b6c4-x7gr9` and `mysql-0` are of `payments` and `mysql`; other pods are their own. */
export function workloadOf(pod: string): string {
  return pod.replace(/-[a-z0-9]{6,10}-[a-z0-9]{5}$/, '').replace(/-\d+$/, '')
}

function noneOr(text: string | undefined): string | null {
  return text === undefined || text === '' || text === '<none>' ? null : text
}

function dateOf(text: string | null): Date | null {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? null : new Date(time)
}
