import type { Agent } from '../agent.ts'
import type { AgentDeps } from '../agent-deps.ts'
import type { Incident } from '../domain/incident.ts'
import type { DataKind } from '../domain/model-data.ts'
import { type Sight, sees, seesEnvironment } from '../domain/workspace.ts'
import type { Drills } from '../drills.ts'
import type { ApprovalKernel, AuditStore, ControlStore, RecordsStore } from '../ports.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Topology } from '../topology/inventory.ts'
import { createScopes } from '../topology/scopes.ts'
import { seenApprovals } from './seen-approvals.ts'
import { seenAudit } from './seen-audit.ts'
import { seenControl } from './seen-control.ts'
import { type SeenIncidents, seenIncidents } from './seen-incidents.ts'
import { seenTopology } from './seen-inventory.ts'
import { allModelRuns, type ModelRuns, seenModelRuns } from './seen-model-runs.ts'
import { seenRecords } from './seen-records.ts'
import { seenTelemetry } from './seen-telemetry.ts'

/** What answers are made of. Whoever is given the narrow ones can tell no more than they hold. */
export interface Seen {
  everything: boolean
  incidents: SeenIncidents
  approvals: ApprovalKernel
  topology: Topology
  telemetry: Telemetry
  scopes: Agent['scopes']
  records: RecordsStore
  audit: AuditStore
  control: ControlStore
  drills: Agent['drills']
  modelRuns: ModelRuns
  /** Whether data of a kind is read of an incident that is seen. */
  reads(incident: Incident, kind: DataKind): boolean
}

type Parts = Pick<
  AgentDeps,
  'incidents' | 'approvals' | 'topology' | 'telemetry' | 'records' | 'audit' | 'control' | 'drills' | 'catalog' | 'modelRuns'
>

export function allOf(parts: Parts): Seen {
  const { incidents, approvals, topology, records, audit, control, drills, catalog } = parts
  return {
    everything: true,
    ...{ incidents, approvals, topology, records, audit, control, drills },
    telemetry: parts.telemetry(topology),
    scopes: createScopes({ catalog, topology }),
    modelRuns: allModelRuns(parts.modelRuns),
    reads: () => true,
  }
}

/** The same parts, each holding only what is seen. */
export function partOf(parts: Parts, sight: Sight): Seen {
  const incidents = seenIncidents(parts.incidents, sight)
  const topology = seenTopology(parts.topology, (thing) => sees(sight, thing))
  const scopes = createScopes({ catalog: parts.catalog, topology })
  return {
    everything: false,
    incidents,
    approvals: seenApprovals(parts.approvals, incidents),
    topology,
    telemetry: seenTelemetry(parts.telemetry(topology), topology, sight),
    scopes: { ...scopes, environments: async () => (await scopes.environments()).filter((name) => seesEnvironment(sight, name)) },
    records: seenRecords(parts.records, sight),
    audit: seenAudit(parts.audit, incidents),
    control: seenControl(parts.control, sight),
    drills: seenDrills(parts.drills, incidents),
    modelRuns: seenModelRuns(allModelRuns(parts.modelRuns), incidents, sight),
    reads: (incident, kind) => sees(sight, incident, kind),
  }
}

/** That there is a drill is everybody's to know: it breaks the target of all. What came of it is not. */
function seenDrills(drills: AgentDeps['drills'], incidents: Pick<SeenIncidents, 'get'>): Agent['drills'] {
  type Run = Awaited<ReturnType<Drills['run']>>
  const seen = async (run: Run): Promise<Run> => {
    if (run?.incident == null || (await incidents.get(run.incident))) return run
    return { ...run, incident: null, approvals: [], words: null }
  }
  return {
    ...drills,
    run: async (id) => await seen(await drills.run(id)),
    current: async () => await seen(await drills.current()),
  }
}
