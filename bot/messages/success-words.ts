import type { StateCheck, SuccessContract } from '../../agent/domain/plan.ts'
import { boundWords } from './metric-words.ts'
import { code, exact, type Span, say, scalar } from './span.ts'
import { durationWords } from './time-words.ts'

/** The success contract as people read it: each bound, then how long, within what time, and on how many samples. */
export function successWords(contract: SuccessContract): Span[][] {
  return [
    ...contract.metrics.map(boundWords),
    ...contract.state.map(stateWords),
    say`for ${durationWords(contract.holdSeconds)} without a break, within ${durationWords(contract.withinSeconds)}, on at least ${samples(contract)}${settling(contract)}`,
    say`fewer samples: undetermined, which never counts as success`,
    ...(contract.weaker === null ? [] : [say`only a weaker check is possible now: ${exact(contract.weaker)}`]),
  ]
}

/** Fields whose own names say little to people; any other is shown as it is. */
const FIELDS: Readonly<Record<string, string>> = {
  updatedReplicas: 'new processes ready',
  readyReplicas: 'processes ready',
}

/** 'version is v41', 'new processes ready: 2' */
export function stateWords({ field, equals }: StateCheck): Span[] {
  return Object.hasOwn(FIELDS, field) ? say`${FIELDS[field] ?? ''}: ${scalar(equals)}` : say`${code(field)} is ${scalar(equals)}`
}

function samples({ minSamples }: SuccessContract): string {
  return minSamples === 1 ? '1 sample' : `${minSamples} samples`
}

function settling({ settleSeconds }: SuccessContract): string {
  return settleSeconds === 0 ? '' : `, counted from ${durationWords(settleSeconds)} after the change`
}
