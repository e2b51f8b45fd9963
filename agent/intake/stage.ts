import type { Incident } from '../domain/incident.ts'
import { haveSameOwners, type Workspace } from '../domain/workspace.ts'
import type { IntakeDecision, IntakeFacts } from '../ports.ts'
import type { DependencyGraph } from '../topology/dependency-graph.ts'
import type { PlacedAlert } from './normalise.ts'

/** Everything a stage may look at. */
export interface StageInput extends PlacedAlert {
  facts: IntakeFacts
  /** The calls of the alert's environment. */
  graph: DependencyGraph
  /** Whether it comes from the target that drills break; an alert of any other sender is about the world, whatever it claims. */
  fromGround: boolean
  /** The drill that is running, for an alert of its own target; else null. */
  drillRun: string | null
  /** None while everybody sees everything. */
  workspaces?: readonly Workspace[]
  now: Date
}

/** One step of the pipeline: decides with a reason, or returns null to pass the alert on. Pure. */
export type Stage = (input: StageInput) => IntakeDecision | null

/**
 * Whether an alert of this moment may join the incident: a drill has incidents of its own, so that practice never hides behind, or inside, a
 * real one, also not in the moments after it ended. An echo of such a drill, from its own target, still belongs to its incident. Nor does an
 * alert join where other people would read it.
 */
export function mayJoin(incident: Incident, input: StageInput): boolean {
  const { fromGround, drillRun } = input
  if (incident.endedAt !== null || !belongsWith(incident, input)) return false
  return incident.drillRun === null ? drillRun === null : fromGround && (drillRun === null || incident.drillRun === drillRun)
}

/** Whether the incident is of the same environment, and nobody sees the one who does not see the other. */
export function belongsWith(incident: Incident, { service, environment, workspaces = [] }: StageInput): boolean {
  return incident.environment === environment && haveSameOwners(workspaces, incident, { service, environment })
}

export function openedWithin({ openedAt }: Incident, minutes: number, now: Date): boolean {
  return now.getTime() - openedAt.getTime() <= minutes * 60_000
}
