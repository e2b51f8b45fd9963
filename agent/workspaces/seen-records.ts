import { Refusal } from '../domain/refusal.ts'
import { type Located, type Sight, sees, seesEnvironment } from '../domain/workspace.ts'
import type { AuditReport, AuditStore, ControlStore, IncidentStore, RecordsStore } from '../ports.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Topology } from '../topology/inventory.ts'

export function seenRecords(records: RecordsStore, sight: Sight): RecordsStore {
  return { ...records, incidents: async (query) => (await records.incidents(query)).filter((incident) => sees(sight, incident)) }
}

/** Entries about incidents that are seen, and no others; a page may hold fewer than were asked for. */
export function seenAudit(audit: AuditStore, incidents: Pick<IncidentStore, 'get'>): AuditStore {
  return {
    ...audit,
    async entries(query) {
      const { items, next } = await audit.entries(query)
      const subjects = await audit.subjects(items.map(({ seq }) => seq))
      const ids = [...new Set(subjects.flatMap(({ incidentId }) => incidentId ?? []))]
      const seen = new Set((await Promise.all(ids.map(async (id) => (await incidents.get(id))?.id))).filter((id) => id !== undefined))
      const shown = new Set(subjects.flatMap(({ seq, incidentId }) => (incidentId !== null && seen.has(incidentId) ? [seq] : [])))
      return { items: items.filter(({ seq }) => shown.has(seq)), next }
    },
  }
}

/** Whether all is well is everybody's to know; the rows that a violation names are not. */
export function withoutRows(report: AuditReport): AuditReport {
  const { length } = report.violations
  return length === 0 ? report : { ...report, violations: [`${length} ${length === 1 ? 'violation' : 'violations'}; an admin sees which`] }
}

/** Everybody may stop, and sees what is stopped. A freeze of something that is not seen is not there, and is not ended from here. */
export function seenControl(control: ControlStore, sight: Sight): ControlStore {
  const freezes: ControlStore['freezes'] = async () => (await control.freezes()).filter(({ scope }) => isScopeSeen(scope, sight))
  return {
    ...control,
    freezes,
    async unfreeze(id, by) {
      if (!(await freezes()).some((each) => each.id === id)) throw new Refusal('invalid-parameters', 'There is no such freeze.')
      await control.unfreeze(id, by)
    },
  }
}

/** '*', 'env:NAME' or 'resource:PROVIDER/ENVIRONMENT/KIND/NAME'. */
function isScopeSeen(scope: string, sight: Sight): boolean {
  if (scope === '*') return true
  if (scope.startsWith('env:')) return seesEnvironment(sight, scope.slice('env:'.length))
  const [, environment, , service] = scope.slice('resource:'.length).split('/')
  return scope.startsWith('resource:') && environment !== undefined && service !== undefined && sees(sight, { service, environment })
}

/** Over an inventory of what is seen, which knows no other service; and only the kinds of data that may be read of it. */
export function seenTelemetry(telemetry: Telemetry, topology: Topology, sight: Sight): Telemetry {
  const demand = async (service: string, kind: 'metrics' | 'logs'): Promise<void> => {
    const { workloads } = await topology.inventory()
    const found: Located | undefined = workloads.find((each) => each.service.toLowerCase() === service.toLowerCase())
    if (found && !sees(sight, found, kind))
      throw new Refusal('unknown-target', `No ${kind} of ${found.service} are read in this workspace.`)
  }
  return {
    async metric(query) {
      await demand(query.service, 'metrics')
      return await telemetry.metric(query)
    },
    async logs(query) {
      await demand(query.service, 'logs')
      return await telemetry.logs(query)
    },
  }
}
