import { type Alert, alertSchema } from '../domain/alert.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { IncidentStore, IntakeDecision, IntakeFacts } from '../ports.ts'
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
  incidents: Pick<IncidentStore, 'absorbAll'>
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
  /** Whether an alert is one that fires always: heard where it arrived, and no reason for an incident. */
  isHeartbeat?(alert: Alert): boolean
  now: () => Date
  log: { info(object: object, message: string): void; warn(object: object, message: string): void }
}

/** The alerts of one stored delivery. */
export interface Delivery {
  alerts: readonly Alert[]
  inboxId: number | null
}

/** What came of the deliveries that were taken. Incident ids are named once each. */
export interface Taken {
  opened: string[]
  attached: string[]
  dropped: number
  /** Alerts that were not of the shape every alert has; they were left out and logged. */
  invalid: number
}

export interface Intake {
  /**
   * Takes the alerts of deliveries in this order, some twenty to a transaction, each with its decision and reason. Taking the same alerts again (a
   * retried job, a replayed delivery) changes nothing. Stops between two transactions once `signal` is aborted.
   */
  takeAll(deliveries: readonly Delivery[], signal?: AbortSignal): Promise<Taken>
}

/** Alerts in one transaction: on the embedded database nobody else reads or writes meanwhile, a click neither. */
const MOST_AT_ONCE = 20

const HEARTBEAT: IntakeDecision = { do: 'drop', reason: 'it is a heartbeat that fires always: only its absence is news', repeats: true }

export function createIntake(deps: IntakeDeps): Intake {
  const { isHeartbeat = () => false, workspaces = [] } = deps
  return {
    async takeAll(deliveries, signal) {
      const [inventory, drill] = await Promise.all([deps.topology.inventory(), deps.drills.current()])
      const taken: Taken = { opened: [], attached: [], dropped: 0, invalid: 0 }
      const arrivals = deliveries.flatMap(({ alerts, inboxId }) => {
        const valid = alerts.flatMap((alert) => parseAlert(alert, deps.log))
        taken.invalid += alerts.length - valid.length
        const placed = causesFirst(
          valid.map((alert) => normalise(alert, inventory)),
          inventory,
        )
        return placed.map((each) => {
          const fromGround = deps.drills.sources.includes(each.alert.source) && deps.drills.environments.includes(each.environment)
          const drillRun = drill && fromGround ? drill.run : null
          const decideOn = (facts: IntakeFacts) =>
            isHeartbeat(each.alert)
              ? HEARTBEAT
              : decide({
                  ...each,
                  facts,
                  graph: inventory.graph.within(each.environment),
                  fromGround,
                  drillRun,
                  workspaces,
                  now: deps.now(),
                })
          return { alert: each.alert, inboxId, decide: decideOn }
        })
      })
      for (let from = 0; from < arrivals.length; from += MOST_AT_ONCE) {
        signal?.throwIfAborted()
        const absorbed = await deps.incidents.absorbAll(arrivals.slice(from, from + MOST_AT_ONCE))
        for (const { decision, incidentId } of absorbed) count(taken, decision, incidentId)
      }
      deps.log.info({ ...taken, inboxIds: deliveries.map(({ inboxId }) => inboxId) }, 'alerts taken')
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
  const rank = ({ alert, service, environment }: PlacedAlert): number =>
    (alert.status === 'resolved' ? 1e6 : 0) + graph.within(environment).dependenciesOf(service).size
  return placed.toSorted((a, b) => rank(a) - rank(b))
}

function count(taken: Taken, decision: IntakeDecision, incidentId: string | null): void {
  if (decision.do === 'drop' || incidentId === null) taken.dropped += 1
  else if (decision.do === 'open') taken.opened.push(incidentId)
  else if (!taken.attached.includes(incidentId) && !taken.opened.includes(incidentId)) taken.attached.push(incidentId)
}
