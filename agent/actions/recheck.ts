import { setTimeout as pause } from 'node:timers/promises'
import { IntegrationError } from '../../integrations/errors.ts'
import type { Step } from '../../integrations/ports/action.ts'
import { plainBoundWords, readingWords } from '../domain/metric-words.ts'
import type { MetricBound, Plan, Precondition, Target } from '../domain/plan.ts'
import type { RefusalCode } from '../domain/refusal.ts'
import type { CatalogEntry } from './catalog.ts'
import { readMetric } from './read-checks.ts'
import { shownChanges } from './shown-changes.ts'
import type { Reading } from './verify.ts'

/** Seconds of telemetry that tell whether the symptom is still there; of a source with rarer samples, so many that some fit in. */
const SYMPTOM_WINDOW = 6
const SAMPLES_IN_WINDOW = 5
/** The newest readings that have to be healthy for "it recovered by itself". */
const HEALED_READINGS = 3
const LOOK_AGAIN_MS = 500

/** Why an approved action is not carried out after all. */
export interface Objection {
  code: RefusalCode
  words: string
}

export function stepOf(plan: Plan): Step {
  return { planId: plan.id, target: plan.target, parameters: plan.parameters, preconditions: plan.preconditions }
}

/**
 * Reads the trigger's metric again: an action for a symptom that is gone is not carried out. Null: the symptom is still there. Right after a
 * restart there are too few samples to say; they are waited for, `patienceMs` at most.
 */
export async function objectionOfSymptom(
  entry: CatalogEntry,
  plan: Plan,
  { now, patienceMs, signal }: { now: () => Date; patienceMs: number; signal: AbortSignal },
): Promise<Objection | null> {
  if (!plan.symptom) return null
  let latest = await newestReadings(entry, plan.target, plan.symptom, now(), signal)
  for (let waited = 0; latest.length < HEALED_READINGS && waited < patienceMs; waited += LOOK_AGAIN_MS) {
    await pause(LOOK_AGAIN_MS, undefined, { signal })
    latest = await newestReadings(entry, plan.target, plan.symptom, now(), signal)
  }
  if (latest.length < HEALED_READINGS) {
    return {
      code: 'stale-target',
      words: `the symptom (${plainBoundWords(plan.symptom)}) cannot be read now: ${latest.length} samples in ${windowOf(entry)} s`,
    }
  }
  return latest.every(({ held }) => held)
    ? { code: 'healed', words: `${plainBoundWords(plan.symptom)} holds again (now ${lastReading(latest, plan.symptom)})` }
    : null
}

function lastReading(readings: readonly Reading[], { unit }: MetricBound): string {
  const { value = '' } = readings.at(-1) ?? {}
  return readingWords(value, unit) ?? value
}

async function newestReadings(
  entry: CatalogEntry,
  target: Target,
  symptom: MetricBound,
  now: Date,
  signal: AbortSignal,
): Promise<Reading[]> {
  const from = new Date(now.getTime() - windowOf(entry) * 1_000)
  return (await readMetric(entry, target, symptom, { from, to: now }, signal)).slice(-HEALED_READINGS)
}

function windowOf({ provider }: CatalogEntry): number {
  return Math.max(SYMPTOM_WINDOW, SAMPLES_IN_WINDOW * (provider.metrics?.resolutionSeconds ?? 1))
}

/** Compares the target with what the plan saw. Null: nothing that matters has changed. */
export async function objectionOfTarget(entry: CatalogEntry, plan: Plan, signal: AbortSignal): Promise<Objection | null> {
  const seen = await entry.action.observe({ environment: plan.target.environment, name: plan.target.name }, signal)
  if (!seen) return { code: 'stale-target', words: `${plan.target.name} is not there any more` }
  if (seen.target.uid !== plan.target.uid)
    return { code: 'stale-target', words: `${plan.target.name} was replaced by another object of the same name` }
  const changed = plan.preconditions.filter((wanted) => !sameIn(seen.preconditions, wanted))
  if (changed.length === 0) return null
  return { code: 'stale-target', words: changed.map((wanted) => changeWords(seen.preconditions, wanted)).join('; ') }
}

/** Runs the dry run again and compares it with the one on the card. */
export async function objectionOfDryRun(entry: CatalogEntry, plan: Plan, signal: AbortSignal): Promise<Objection | null> {
  try {
    const { changes } = await entry.action.dryRun(stepOf(plan), signal)
    return JSON.stringify(shownChanges(changes)) === JSON.stringify(plan.changes)
      ? null
      : { code: 'stale-target', words: 'the dry run now shows other changes than the card did' }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { code: error.code === 'permission' || error.code === 'auth' ? 'permission-missing' : 'dry-run-failed', words: error.message }
  }
}

function sameIn(seen: readonly Precondition[], wanted: Precondition): boolean {
  return seen.some(({ field, equals }) => field === wanted.field && equals === wanted.equals)
}

function changeWords(seen: readonly Precondition[], { field, equals }: Precondition): string {
  const now = seen.find((entry) => entry.field === field)
  return `${field} was ${String(equals)} and is ${now ? String(now.equals) : 'gone'}`
}
