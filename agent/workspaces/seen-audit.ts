import type { AuditReport, AuditStore, IncidentStore } from '../ports.ts'

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
