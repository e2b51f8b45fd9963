import { diagnose } from '../../../agent/diagnosis/diagnose.ts'
import { readFacts } from '../../../agent/diagnosis/facts.ts'
import type { Alert } from '../../../agent/domain/alert.ts'
import type { EvidenceItem } from '../../../agent/domain/evidence.ts'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import { collect } from '../../../agent/investigation/collect.ts'
import { scopeOf } from '../../../agent/investigation/scope.ts'
import { createTopology } from '../../../agent/topology/inventory.ts'
import type { Action, Observation, Step } from '../../../integrations/ports/action.ts'
import { anIncident } from '../../support/builders.ts'
import { never, type StartedTarget, until } from './started-target.ts'

/** Breaks the target, and waits for the alert of this name, of the service that the scenario is about. */
export async function breakTarget({ target, deps }: StartedTarget, name: string, alertName: string): Promise<Alert> {
  const service = target.drills.scenarios.find((scenario) => scenario.name === name)?.service
  const earlier = deps.alerts.length
  await target.drills.begin(name, never)
  const found = (): Alert | undefined =>
    deps.alerts.slice(earlier).find((alert) => alert.status === 'firing' && alert.service === service && alert.name === alertName)
  await until(`${alertName} of ${service}`, () => found() !== undefined, 40)
  const alert = found()
  if (!alert) throw new Error('the alert went away')
  return alert
}

/** What one round of investigation makes of an alert, best first: evidence is collected and judged as in an incident. */
export async function hypothesesFor({ target, deps }: StartedTarget, alert: Alert): Promise<Hypothesis[]> {
  const inventory = await createTopology({ sources: [target], now: deps.now, log: deps.log }).inventory()
  const about = anIncident({ service: alert.service ?? '', environment: 'local', openedAt: deps.now() })
  const scope = scopeOf(about, [alert], inventory, deps.now())
  const { evidence } = await collect(scope, { sources: [target], log: deps.log, signal: never })
  const items: EvidenceItem[] = evidence.map((item, i) => ({
    ...item,
    id: `e-${i}`,
    incidentId: about.id,
    label: `E${i + 1}`,
    hash: '',
    collectedAt: deps.now(),
  }))
  return diagnose(readFacts({ service: about.service, startedAt: scope.startedAt, now: scope.to }, items), items)
}

/** The first action of the target that fits the hypothesis, as a plan would hold it; null when none does. */
export async function suggested(
  { target }: StartedTarget,
  hypothesis: Hypothesis,
): Promise<{ action: Action; step: Step; observation: Observation } | null> {
  for (const action of target.actions) {
    const suggestion = await action.suggest(hypothesis, { service: 'storefront', environment: 'local' })
    const observation = suggestion && (await action.observe(suggestion.target))
    if (!suggestion || !observation) continue
    const step = { planId: 'p', target: observation.target, parameters: suggestion.parameters, preconditions: observation.preconditions }
    return { action, step, observation }
  }
  return null
}

/** Everything is as it was before, and no alert is left. */
export async function restoreTarget({ target, deps }: StartedTarget): Promise<void> {
  await target.drills.restore(never)
  await until(
    'every alert is over',
    () => {
      const over = new Set(deps.alerts.filter(({ status }) => status === 'resolved').map(({ key }) => key))
      return deps.alerts.every(({ key }) => over.has(key))
    },
    25,
  )
}
