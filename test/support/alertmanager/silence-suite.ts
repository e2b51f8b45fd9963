import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAlertmanager } from '../../../integrations/alertmanager/index.ts'
import type { Action, Step } from '../../../integrations/ports/action.ts'

export type Labels = Record<string, string>
/** A server in which alerts fire as the test says, or why this machine has none. */
export type Started = { url: string; fire(labels: Labels): Promise<void> } | { missing: string }

export const ALERT: Labels = { alertname: 'HighErrors', env: 'production', quote: 'a "b" \\ {c}\nd', service: 'payments' }
const SIGNAL = AbortSignal.timeout(60_000)
const WHERE = { environment: 'production', name: 'payments' }

export function silenceOf(url: string, now: () => Date = () => new Date()): Action {
  const [action] = createAlertmanager({ now }, [{ environment: 'production', url, token: null }]).actions ?? []
  if (!action) throw new Error('a silence is what it is for')
  return action
}

/** What somebody who names only the service asks for, as a plan would carry it. */
export async function stepOf(action: Action, said: Partial<Step['parameters']> = {}): Promise<Step> {
  const [observation, parameters] = [await action.observe(WHERE), await action.byHand?.defaults(WHERE)]
  if (!observation || !parameters) throw new Error('payments has one alert that fires')
  const { target, preconditions } = observation
  return { planId: randomUUID(), target, preconditions, parameters: { ...parameters, ...said } as Step['parameters'] }
}

/** The step of the undo that the plan of `step` carries. */
export function undoOf(action: Action, step: Step): Step {
  const { target, preconditions } = step
  const back = action.undo(step, { target, preconditions, replicas: 0 })
  if (!back) throw new Error('a silence has an undo')
  return { ...step, planId: randomUUID(), parameters: back.parameters }
}

export async function stateOf(action: Action, step: Step): Promise<unknown> {
  const { state } = action.success(step, { target: step.target, preconditions: [], replicas: 0 })
  return Object.values(
    await action.readState(
      step.target,
      state.map(({ field }) => field),
    ),
  )[0]
}

/** The contract that holds of Alertmanager itself and of what stands in for it. */
export function silenceSuite(start: () => Promise<Started>): void {
  test('a silence holds exactly the alert of the incident, is found again, and its undo ends it', async (context) => {
    const server = await start()
    if ('missing' in server) return context.skip(server.missing)
    await server.fire(ALERT)
    await server.fire({ ...ALERT, alertname: 'HighLatency' })
    const action = silenceOf(server.url)
    // Two of its alerts fire, so a person has to say which.
    expect(await action.byHand?.defaults(WHERE)).toBeNull()
    const target = (await action.observe(WHERE))?.target
    if (!target) throw new Error('payments has alerts that fire')
    const parameters = { alert: JSON.stringify(ALERT), minutes: 60 }
    expect(action.definition.parameters.safeParse(parameters).success).toBe(true)
    const step: Step = { planId: randomUUID(), target, preconditions: [], parameters }
    const executionId = randomUUID()
    expect(await stateOf(action, step)).toBe('none')
    expect(await action.probe(step, executionId, SIGNAL)).toBe('not-applied')

    expect(await action.effect(step, executionId, SIGNAL)).toEqual({ result: 'applied' })
    expect(await action.probe(step, executionId, SIGNAL)).toBe('applied')
    expect(await action.probe(step, randomUUID(), SIGNAL)).toBe('not-applied')
    expect(await stateOf(action, step)).toBe('active')
    expect(await action.byHand?.defaults(WHERE)).toEqual({ alert: JSON.stringify({ ...ALERT, alertname: 'HighLatency' }), minutes: 60 })
    expect(await action.effect(step, randomUUID(), SIGNAL)).toMatchObject({ result: 'refused', words: 'the alert is silenced already' })

    const undo = undoOf(action, step)
    expect(await action.probe(undo, randomUUID(), SIGNAL)).toBe('not-applied')
    expect(await action.effect(undo, randomUUID(), SIGNAL)).toEqual({ result: 'applied' })
    expect(await action.probe(undo, randomUUID(), SIGNAL)).toBe('applied')
    expect(await stateOf(action, step)).toBe('none')
    expect(await action.effect(undo, randomUUID(), SIGNAL)).toEqual({ result: 'applied' })
  })

  test('what the server refuses is told in its words', async (context) => {
    const server = await start()
    if ('missing' in server) return context.skip(server.missing)
    await server.fire(ALERT)
    const longAgo = silenceOf(server.url, () => new Date('2020-01-01T00:00:00Z'))
    const refused = await longAgo.effect(await stepOf(longAgo), randomUUID(), SIGNAL)
    expect(refused).toMatchObject({ result: 'refused', reason: 'invalid', words: expect.stringMatching(/answered 400: .*past/) })
  })
}
