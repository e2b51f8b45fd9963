import { type Alert, alertSchema } from '../domain/alert.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { IncidentStore, IntakeDecision } from '../ports.ts'
import type { Inventory, Topology } from '../topology/inventory.ts'
import { dedup } from './dedup.ts'
import { group } from './group.ts'
import { inhibit } from './inhibit.ts'
import { normalise, type PlacedAlert } from './normalise.ts'
import { route } from './route.ts'
import type { Stage, StageInput } from './stage.ts'

/** In this order; the first that decides has decided. */
const STAGES: readonly Stage[] = [dedup, inhibit, group, route]

export interface IntakeDeps {
  incidents: Pick<IncidentStore, 'absorb'>
  topology: Topology
  drills: {
    /** The drill that is running, or null. */
    current(): Promise<{ run: string } | null>
    /** The environments that drills break. */
    environments: readonly string[]
    /** The sources of alerts that the targets of drills raise themselves. */
    sources: readonly string[]
  }
  workspaces?: readonly Workspace[]
  now: () => Date
  log: { info(object: object, message: string): void; warn(object: object, message: string): void }
}

/** What came of one delivery. Incident ids are named once each. */
export interface Taken {
  opened: string[]
  attached: string[]
  dropped: number
  /** Alerts that were not of the shape every alert has; they were left out and logged. */
  invalid: number
}

export interface Intake {
  /**
   * Takes alerts, each in a transaction of its own with its decision and reason. Taking the same alerts again (a retried job, a replayed
   * delivery) changes nothing. `inboxId` names the stored delivery they came in.
   */
  take(alerts: readonly Alert[], inboxId: number | null): Promise<Taken>
}

export function createIntake(deps: IntakeDeps): Intake {
  return {
    async take(alerts, inboxId) {
      const [inventory, drill] = await Promise.all([deps.topology.inventory(), deps.drills.current()])
      const valid = alerts.flatMap((alert) => parseAlert(alert, deps.log))
      const placed = causesFirst(
        valid.map((alert) => normalise(alert, inventory)),
        inventory,
      )
      const taken: Taken = { opened: [], attached: [], dropped: 0, invalid: alerts.length - valid.length }
      for (const each of placed) {
        const fromGround = deps.drills.sources.includes(each.alert.source) && deps.drills.environments.includes(each.environment)
        const drillRun = drill && fromGround ? drill.run : null
        const result = await deps.incidents.absorb(each.alert, inboxId, (facts) =>
          decide({ ...each, facts, graph: inventory.graph, fromGround, drillRun, workspaces: deps.workspaces ?? [], now: deps.now() }),
        )
        count(taken, result.decision, result.incidentId)
      }
      deps.log.info({ ...taken, inboxId }, 'alerts taken')
      return taken
    },
  }
}

/** Pure: the first stage that has an answer. */
export function decide(input: StageInput): IntakeDecision {
  for (const stage of STAGES) {
    const decision = stage(input)
    if (decision) return decision
  }
  throw new Error('the last stage of intake decides everything that reaches it')
}

function parseAlert(alert: unknown, log: IntakeDeps['log']): Alert[] {
  const parsed = alertSchema.safeParse(alert)
  if (parsed.success) return [parsed.data]
  log.warn(
    { problems: parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.')}: ${message}`) },
    'an alert was left out',
  )
  return []
}

/** Within one delivery what others depend on comes first, so that its incident stands when its victims arrive. Ends come last. */
function causesFirst(placed: PlacedAlert[], { graph }: Inventory): PlacedAlert[] {
  const rank = ({ alert, service }: PlacedAlert): number => (alert.status === 'resolved' ? 1e6 : 0) + graph.dependenciesOf(service).size
  return placed.toSorted((a, b) => rank(a) - rank(b))
}

function count(taken: Taken, decision: IntakeDecision, incidentId: string | null): void {
  if (decision.do === 'drop' || incidentId === null) taken.dropped += 1
  else if (decision.do === 'open') taken.opened.push(incidentId)
  else if (!taken.attached.includes(incidentId) && !taken.opened.includes(incidentId)) taken.attached.push(incidentId)
}
