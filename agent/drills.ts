import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { DrillScenario, DrillsPort } from '../integrations/ports/drills.ts'
import type { Agent, DrillRun } from './agent.ts'
import type { Approval } from './domain/approval.ts'
import { ENDED_STATES, INCIDENT_STATES, type Incident, PUT_BACK, wasPutBack } from './domain/incident.ts'
import { type DrillVerdict, judgeDrill } from './drill-verdict.ts'
import type { Log } from './log.ts'
import type { ApprovalKernel, IncidentStore } from './ports.ts'

/** Rows of runs. At most one is running, whoever starts it. */
export interface DrillRuns {
  /** False when a run is running already. */
  open(run: { run: string; name: string; startedAt: Date; startedBy: string | null }): Promise<boolean>
  progress(run: string, seen: { incident: string | null; approvals: readonly string[] }): Promise<void>
  end(run: string, result: { state: 'passed' | 'failed'; words: string; ended: Date }): Promise<void>
  get(run: string): Promise<DrillRun | null>
  running(): Promise<DrillRun | null>
}

/** Only one drill at a time: a second fault would make both unjudgeable. */
export class DrillBusy extends Error {
  override readonly name = 'DrillBusy'
  /** The run that is under way; null when it ended in this moment. */
  readonly current: DrillRun | null
  constructor(current: DrillRun | null) {
    super(`The drill ${current?.name ?? 'before'} is still running. Wait until it has ended.`)
    this.current = current
  }
}

export class UnknownDrill extends Error {
  override readonly name = 'UnknownDrill'
  constructor(name: string, known: readonly string[]) {
    super(`There is no drill ${name}. There are: ${known.join(', ') || 'none'}.`)
  }
}

export interface DrillsDeps {
  /** Null when no target is there to be broken. */
  ground: DrillsPort | null
  runs: DrillRuns
  incidents: Pick<IncidentStore, 'list' | 'record'>
  approvals: Pick<ApprovalKernel, 'approvals'>
  now: () => Date
  log: Log
}

export type Drills = Agent['drills'] & {
  /** Takes up the run that a crash interrupted. Call once the target is started. */
  resume(): Promise<void>
  /** Lets go of the run under way; it is taken up at the next start. */
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 400
const TAKE_UP_AGAIN_MS = 2_000
const BEGIN_WITHIN_MS = 40_000
const RESTORE_WITHIN_MS = 15_000
const INCIDENTS_READ = 200
const APPROVALS_READ = 50

/** Runs scenarios on the target: breaks it, watches what the agent and the people make of it, judges, and puts everything back. */
export function createDrills(deps: DrillsDeps): Drills {
  const { runs, log, now } = deps
  const ended = new AbortController()
  const scenarios = deps.ground?.scenarios ?? []
  let watching: Promise<void> = Promise.resolve()

  const watch = (run: DrillRun, since: Date): void => {
    watching = keepAtIt({ ...run }, since)
  }
  /** Stopping leaves the run as it is, to be taken up at the next start; after any other failure it is taken up here. */
  const keepAtIt = async (run: DrillRun, since: Date): Promise<void> => {
    const scenario = scenarios.find(({ name }) => name === run.name)
    while (!ended.signal.aborted) {
      try {
        return await carryThrough(deps, run, scenario, since, ended.signal)
      } catch (error) {
        if (ended.signal.aborted) return
        log.error({ error: wordsOf(error), run: run.run }, 'a drill could not be carried through; it is taken up again')
        await pause(TAKE_UP_AGAIN_MS, undefined, { signal: ended.signal }).catch(() => undefined)
      }
    }
  }

  return {
    list: () => scenarios,
    async start(name, startedBy) {
      if (!scenarios.some((scenario) => scenario.name === name))
        throw new UnknownDrill(
          name,
          scenarios.map((scenario) => scenario.name),
        )
      const startedAt = now()
      const id = randomUUID()
      if (!(await runs.open({ run: id, name, startedAt, startedBy }))) throw new DrillBusy(await runs.running())
      const begun = { run: id, name, startedAt, startedBy }
      const run: DrillRun = { ...begun, state: 'running', incident: null, approvals: [], ended: null, words: null }
      log.info({ run: id, name, startedBy }, 'a drill begins')
      watch(run, startedAt)
      return run
    },
    run: async (id) => await runs.get(id),
    current: async () => await runs.running(),
    async resume() {
      const run = await runs.running()
      if (run) log.info({ run: run.run, name: run.name }, 'a drill that was interrupted goes on')
      if (run) watch(run, now())
    },
    async stop() {
      ended.abort()
      await watching
    },
  }
}

/** From the fault to the restored target. What the rows say already is not done again, so that an interrupted run goes on where it was. */
async function carryThrough(
  deps: DrillsDeps,
  run: DrillRun,
  scenario: DrillScenario | undefined,
  since: Date,
  signal: AbortSignal,
): Promise<void> {
  const { ground } = deps
  if (!ground || !scenario) return await conclude(deps, run, { state: 'failed', words: `The target has no scenario ${run.name} any more.` })
  const first = await look(deps, run, scenario, since)
  const verdict =
    first.state === 'running' ? ((await begin(ground, run, signal)) ?? (await follow(deps, run, scenario, since, signal))) : first
  signal.throwIfAborted()
  // Said before it is done, so that whoever sees the symptom go finds the reason; and after, for what was only then heard of.
  await notePutBack(deps, run)
  const left = await restore(ground, signal)
  await notePutBack(deps, run)
  await conclude(deps, run, left === null ? verdict : { state: 'failed', words: `${left} Before that: ${wordsOfVerdict(verdict)}` })
}

async function begin(ground: DrillsPort, run: DrillRun, signal: AbortSignal): Promise<DrillVerdict | null> {
  try {
    await ground.begin(run.name, AbortSignal.any([signal, AbortSignal.timeout(BEGIN_WITHIN_MS)]))
    return null
  } catch (error) {
    signal.throwIfAborted()
    return { state: 'failed', words: `The target could not be broken: ${wordsOf(error)}.` }
  }
}

/** Null when everything is back as it was, else why not. */
async function restore(ground: DrillsPort, signal: AbortSignal): Promise<string | null> {
  try {
    await ground.restore(AbortSignal.any([signal, AbortSignal.timeout(RESTORE_WITHIN_MS)]))
    return null
  } catch (error) {
    signal.throwIfAborted()
    return `The target could not be put back: ${wordsOf(error)}.`
  }
}

/** In each incident of the run that is still open, once. */
async function notePutBack({ incidents }: DrillsDeps, run: DrillRun): Promise<void> {
  const { items } = await incidents.list({ state: 'active', limit: INCIDENTS_READ })
  for (const { id } of items.filter(({ drillRun }) => drillRun === run.run))
    await incidents.record(id, {
      kind: PUT_BACK,
      text: `The drill ${run.name} is over: its clean-up puts the target back as it was.`,
      detail: { run: run.run },
      from: INCIDENT_STATES.filter((state) => !ENDED_STATES.includes(state)),
      unless: wasPutBack,
    })
}

async function follow(deps: DrillsDeps, run: DrillRun, scenario: DrillScenario, since: Date, signal: AbortSignal): Promise<DrillVerdict> {
  while (true) {
    try {
      const verdict = await look(deps, run, scenario, since)
      if (verdict.state !== 'running') return verdict
    } catch (error) {
      deps.log.warn({ error: wordsOf(error), run: run.run }, 'a drill could not be looked at; it is tried again')
    }
    await pause(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** Reads what came of the run, keeps it in its row, and judges. */
async function look(deps: DrillsDeps, run: DrillRun, { expects }: DrillScenario, since: Date): Promise<DrillVerdict> {
  const { items } = await deps.incidents.list({ limit: INCIDENTS_READ })
  const incidents = items.filter(({ drillRun }) => drillRun === run.run).toReversed()
  const pages = await Promise.all(incidents.map(({ id }) => deps.approvals.approvals({ incidentId: id, limit: APPROVALS_READ })))
  const approvals = pages.flatMap((page) => page.items)
  await keepProgress(deps, run, incidents, approvals)
  return judgeDrill({ expects, since, now: deps.now(), incidents, approvals })
}

async function keepProgress(
  { runs }: DrillsDeps,
  run: DrillRun,
  incidents: readonly Incident[],
  approvals: readonly Approval[],
): Promise<void> {
  const incident = approvals[0]?.incidentId ?? incidents[0]?.id ?? null
  const ids = approvals.map(({ id }) => id)
  if (run.incident === incident && run.approvals.join() === ids.join()) return
  run.incident = incident
  run.approvals = ids
  await runs.progress(run.run, { incident, approvals: ids })
}

async function conclude({ runs, now, log }: DrillsDeps, run: DrillRun, verdict: DrillVerdict): Promise<void> {
  const state = verdict.state === 'passed' ? 'passed' : 'failed'
  const words = wordsOfVerdict(verdict)
  await runs.end(run.run, { state, words, ended: now() })
  log.info({ run: run.run, name: run.name, state, words }, 'a drill has ended')
}

function wordsOfVerdict(verdict: DrillVerdict): string {
  return verdict.state === 'running' ? 'it was still running.' : verdict.words
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
