import { setTimeout as pause } from 'node:timers/promises'
import { IntegrationError } from '../errors.ts'
import type { DrillsPort } from '../ports/drills.ts'
import type { DesiredState } from './desired-state.ts'
import type { Detection } from './detection.ts'
import { badRelease } from './scenarios/bad-release.ts'
import { blip } from './scenarios/blip.ts'
import { crashLoop } from './scenarios/crash-loop.ts'
import { expiringCertificate } from './scenarios/expiring-certificate.ts'
import { fullLogDirectory } from './scenarios/full-log-directory.ts'
import { hungJob } from './scenarios/hung-job.ts'
import { memoryLeak } from './scenarios/memory-leak.ts'
import { outsideCause } from './scenarios/outside-cause.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { slowDependency } from './scenarios/slow-dependency.ts'
import { trafficSurge } from './scenarios/traffic-surge.ts'
import { wrongFix } from './scenarios/wrong-fix.ts'
import type { Supervisor } from './supervisor.ts'
import { restoredState } from './target-state.ts'

const SCENARIOS: readonly Scenario[] = [
  badRelease,
  memoryLeak,
  blip,
  wrongFix,
  crashLoop,
  slowDependency,
  outsideCause,
  trafficSurge,
  fullLogDirectory,
  expiringCertificate,
  hungJob,
]
/** What is broken has to stand out from something: rounds of healthy telemetry before the fault. */
const CALM_ROUNDS = 5
const CALM_WITHIN_MS = 25_000
const SETTLED_WITHIN_MS = 10_000
const POLL_MS = 100

export interface DrillGroundDeps {
  state: DesiredState
  supervisor: Supervisor
  detection: Detection
  now: () => Date
  newId: () => string
}

/** The scenarios, and how they come about and go away. */
export function createDrillGround(deps: DrillGroundDeps): DrillsPort {
  const settled = (signal: AbortSignal): Promise<void> =>
    deps.supervisor.settled(AbortSignal.any([signal, AbortSignal.timeout(SETTLED_WITHIN_MS)]))

  const restore = async (signal: AbortSignal): Promise<void> => {
    await deps.state.update((state) => restoredState(state, { id: deps.newId(), at: deps.now(), by: 'drill' }))
    await settled(signal)
    await deps.state.update((state) => ({ ...state, drill: null, freshSince: deps.now().toISOString() }))
    // What comes next is compared with what is seen from here on.
    deps.detection.startCalm()
  }

  return {
    scenarios: SCENARIOS.map(({ apply: _, ...scenario }) => scenario),
    /** A scenario that is in place already is left as it is, so that an interrupted drill can be taken up again. */
    async begin(name, signal) {
      const scenario = SCENARIOS.find((candidate) => candidate.name === name)
      if (!scenario) throw new IntegrationError('local', 'not_found', `there is no scenario ${name}`)
      const current = deps.state.current().drill
      if (current === name) return
      if (current !== null) await restore(signal)
      await calm(deps, signal)
      const origin = { id: deps.newId(), at: deps.now() }
      await deps.state.update((state) => ({ ...scenario.apply(state, origin), drill: name }))
      await settled(signal)
    },
    restore,
  }
}

async function calm({ detection, supervisor, now }: DrillGroundDeps, signal: AbortSignal): Promise<void> {
  const deadline = now().getTime() + CALM_WITHIN_MS
  while (detection.calmRounds() < CALM_ROUNDS || !supervisor.isSettled()) {
    if (now().getTime() > deadline)
      throw new IntegrationError('local', 'unavailable', 'the shop is not healthy, so no drill can begin in it')
    await pause(POLL_MS, undefined, { signal })
  }
}
