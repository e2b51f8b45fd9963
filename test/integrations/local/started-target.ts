import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createLocalTarget, type LocalTarget } from '../../../integrations/local/index.ts'
import type { Action, Parameters, Step } from '../../../integrations/ports/action.ts'
import type { MetricName, Point } from '../../../integrations/ports/metrics.ts'
import { type ScriptedDeps, scriptedDeps } from './scripted-deps.ts'

export interface StartedTarget {
  target: LocalTarget
  deps: ScriptedDeps
  dir: string
}

const directories: string[] = []
const targets = new Set<LocalTarget>()

/** A running target in a directory of its own; with `earlier`, the one that takes over its rows and files. */
export async function startTarget(earlier?: StartedTarget, change: (deps: ScriptedDeps) => void = () => undefined): Promise<StartedTarget> {
  const dir = earlier?.dir ?? (await mkdtemp(join(tmpdir(), 'steadyhand-local-')))
  directories.push(dir)
  const deps = scriptedDeps(earlier?.deps)
  change(deps)
  const target = createLocalTarget(deps, { dir })
  targets.add(target)
  await target.start()
  return { target, deps, dir }
}

/** Ends every target that was started here, and removes their directories. */
export async function stopTargets(): Promise<void> {
  await Promise.all([...targets].map((target) => target.stop()))
  targets.clear()
  await Promise.all(directories.splice(0).map((dir) => rm(dir, { recursive: true, force: true })))
}

/** Polls until `holds` is true. Fails with `what` when the time is over. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinSeconds = 10): Promise<void> {
  const deadline = Date.now() + withinSeconds * 1_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinSeconds} s: ${what}`)
    await pause(50)
  }
}

export const never = new AbortController().signal

export function actionOf(target: LocalTarget, kind: string): Action {
  const action = target.actions.find(({ definition }) => definition.kind === kind)
  if (!action) throw new Error(`no action ${kind}`)
  return action
}

/** A step as an approved plan would carry it: what was observed, and the parameters asked for. */
export async function stepOn(action: Action, service: string, parameters: Parameters): Promise<Step> {
  const observation = await action.observe({ environment: 'local', name: service })
  if (!observation) throw new Error(`no service ${service}`)
  return { planId: 'plan', target: observation.target, parameters, preconditions: observation.preconditions }
}

/** The latest points of a metric, one a second. */
export async function latest(target: LocalTarget, service: string, metric: MetricName, seconds: number): Promise<Point[]> {
  const to = new Date()
  const from = new Date(to.getTime() - seconds * 1_000)
  return (await target.metrics.read({ service, metric, from, to, stepSeconds: 1 })).points
}
