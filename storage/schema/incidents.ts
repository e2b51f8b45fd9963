import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type { EvidenceItem } from '../../agent/domain/evidence.ts'
import type { IncidentState, Severity } from '../../agent/domain/incident.ts'

/** A jsonb column: written as JSON text made by `contentJson`, read as a value. */
type Json = ColumnType<unknown, string, never>

export interface IntakeTurnTable {
  id: number
  last_incident: number
}

export interface IncidentTable {
  id: string
  number: number
  title: string
  service: string
  environment: string
  severity: Severity
  severity_reason: string
  state: Generated<IncidentState>
  opened_at: Date
  ended_at: Date | null
  drill_run: string | null
  last_event: Generated<number>
  last_evidence: Generated<number>
  last_diagnosis: Generated<number>
}

export interface IncidentEventTable {
  incident_id: string
  seq: number
  at: Date
  kind: string
  text: string
  detail: Json
}

export interface AlertTable {
  id: GeneratedAlways<number>
  incident_id: string | null
  inbox_id: number | null
  source: string
  key: string
  status: 'firing' | 'resolved'
  occurrence: string
  body: Json
  decision: 'open' | 'attach' | 'drop'
  reason: string
  deliveries: Generated<number>
  received_at: Date
  last_received_at: Date
}

export interface EvidenceTable {
  id: string
  incident_id: string
  number: number
  kind: string
  source: string
  trust: EvidenceItem['trust']
  status: EvidenceItem['status']
  summary: string
  query: string
  window_from: Date
  window_to: Date
  link: string | null
  content: Json
  hash: string
  collected_at: Date
}

export interface HypothesisSetTable {
  incident_id: string
  version: number
  hypotheses: Json
  at: Date
}

export interface AlertMoveTable {
  id: GeneratedAlways<number>
  alert_id: number
  from_incident_id: string
  incident_id: string
  person_id: string
  at: Date
}

/** A view: an alert with the incident it belongs to now. */
export interface PlacedAlertView extends AlertTable {
  belongs_to: string | null
}

export interface IncidentFeedbackTable {
  id: GeneratedAlways<number>
  incident_id: string
  diagnosis: number
  person_id: string
  verdict: 'right' | 'wrong'
  class: string | null
  component: string | null
  words: string | null
  at: Date
}

export interface IncidentTables {
  intake_turn: IntakeTurnTable
  incident: IncidentTable
  incident_event: IncidentEventTable
  alert: AlertTable
  alert_move: AlertMoveTable
  placed_alert: PlacedAlertView
  incident_feedback: IncidentFeedbackTable
  evidence: EvidenceTable
  hypothesis_set: HypothesisSetTable
}
