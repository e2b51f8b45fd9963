import type { Call, Ledger, LedgerLine, State } from './ledger.ts'
import { COMMON, RESOURCES, type ResourceRule } from './resources.ts'

/**
 * How one call goes: done and answered; done and the answer lost; done after a while; accepted, not answered, done `late:SECONDS` later; delivered
 * twice with the first or the second answer; refused; lost before anything happened; done and answered with a fault; done and of no use; done and
 * the health unreadable from then on.
 */
export type Behaviour =
  | 'answer'
  | 'lose-answer'
  | 'delay'
  | `late:${number}`
  | 'twice'
  | 'twice-second-answer'
  | 'refuse'
  | 'lose-call'
  | 'fault-after'
  | 'useless'
  | 'invisible'

export type Answer = { status: 200 | 403 | 409 | 500; words: string } | 'none'

export interface Cloud {
  state(kind: string, name: string): State
  /** The calls to this resource that come next go like this, one each. */
  expect(kind: string, name: string, behaviours: readonly Behaviour[]): void
  call(call: Call): Promise<Answer>
  /** Seconds by which the cloud's clock is ahead; what is due by then happens now. */
  setClock(offset: number): void
  /** Does what is due. */
  look(): void
}

const DELAY_MS = 30

/** Everything the fake cloud is: resources that follow from the ledger, and calls that go as they were told to. */
export function createCloud({ ledger, lines, time }: { ledger: Ledger; lines: readonly LedgerLine[]; time: () => number }): Cloud {
  const states = new Map<string, State>()
  const expected = new Map<string, Behaviour[]>()
  const waiting = new Map<string, Extract<LedgerLine, { line: 'accepted' }>>()
  let offset = 0
  const now = (): number => time() / 1_000 + offset

  const state = (kind: string, name: string): State =>
    states.get(keyOf(kind, name)) ?? { uid: `${kind}/${name}`, ...COMMON, ...ruleOf(kind).initial(name) }

  const change = (call: Call, copy: number, extra: State = {}): Answer => {
    const before = state(call.kind, call.name)
    const result = ruleOf(call.kind).change(before, call, now())
    if (result.verdict !== 'applied') {
      ledger.append({ line: result.verdict === 'conflict' ? 'refused' : 'unchanged', copy, call, words: result.words })
      return { status: result.verdict === 'conflict' ? 409 : 200, words: result.words }
    }
    const after = { ...result.state, healthy: true, ...extra, changes: Number(before['changes']) + 1 }
    ledger.append({ line: 'applied', copy, call, state: after })
    states.set(keyOf(call.kind, call.name), after)
    return { status: 200, words: 'done' }
  }

  const look = (): void => {
    for (const [key, accepted] of waiting) {
      if (accepted.due > now()) continue
      waiting.delete(key)
      change(accepted.call, accepted.copy)
    }
  }

  const accept = (call: Call, seconds: number): Answer => {
    const accepted = { line: 'accepted', copy: 1, call, due: now() + seconds } as const
    ledger.append(accepted)
    waiting.set(call.callId, accepted)
    return 'none'
  }

  const obey = async (call: Call, behaviour: Behaviour): Promise<Answer> => {
    if (behaviour.startsWith('late:')) return accept(call, Number(behaviour.slice('late:'.length)))
    switch (behaviour) {
      case 'refuse':
        return { status: 403, words: 'the role lacks the permission' }
      case 'lose-call':
        return 'none'
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, DELAY_MS))
        return change(call, 1)
      case 'lose-answer':
        change(call, 1)
        return 'none'
      case 'fault-after':
        change(call, 1)
        return { status: 500, words: 'internal error' }
      case 'twice':
      case 'twice-second-answer': {
        const answers = [change(call, 1), change(call, 2)] as const
        return behaviour === 'twice' ? answers[0] : answers[1]
      }
      case 'useless':
        return change(call, 1, { healthy: false })
      case 'invisible':
        return change(call, 1, { visible: false })
      default:
        return change(call, 1)
    }
  }

  for (const line of lines) {
    if (line.line === 'applied') states.set(keyOf(line.call.kind, line.call.name), line.state)
    if (line.line === 'accepted') waiting.set(line.call.callId, line)
    else if (line.line !== 'called') waiting.delete(line.call.callId)
  }

  return {
    state,
    look,
    expect: (kind, name, behaviours) => void expected.set(keyOf(kind, name), [...behaviours]),
    async call(call) {
      look()
      const behaviour = expected.get(keyOf(call.kind, call.name))?.shift() ?? 'answer'
      ledger.append({ line: 'called', copy: 1, call, behaviour })
      return await obey(call, behaviour)
    },
    setClock(seconds) {
      offset = seconds
      look()
    },
  }
}

function keyOf(kind: string, name: string): string {
  return `${kind} ${name}`
}

function ruleOf(kind: string): ResourceRule {
  const rule = RESOURCES[kind]
  if (!rule) throw new Error(`the fake cloud knows no ${kind}`)
  return rule
}
