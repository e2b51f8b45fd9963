import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely'
import type { Decision, ExecutionState, RequestState } from '../../agent/domain/approval.ts'
import type { Role, Surface } from '../../agent/domain/principal.ts'

/** A moment that the database sets itself. */
type Stamp = ColumnType<Date, never, never>
type Json = JSONColumnType<Record<string, unknown>>

export interface PrincipalTable {
  id: string
  kind: 'human' | 'service'
  name: string
  active: Generated<boolean>
  created_at: Stamp
}

export interface IdentityLinkTable {
  id: GeneratedAlways<number>
  surface: Surface
  tenant: string
  external_id: string
  principal_id: string
  linked_by: string
  linked_at: Stamp
  revoked_at: Date | null
  change_id: string | null
  revoked_by: string | null
}

export interface RoleTable {
  name: Role
  rank: number
}

export interface RoleGrantTable {
  id: GeneratedAlways<number>
  principal_id: string
  role: Role
  environment: string
  granted_by: string
  granted_at: Stamp
  valid_until: ColumnType<Date, Date | undefined, never>
  revoked_at: Date | null
  change_id: string | null
  revoked_by: string | null
}

/** The columns after `decided_by` are read from the canonical text by the database. */
export interface PowerChangeTable {
  id: string
  canonical: string
  digest: string
  asked_by: string
  link_id: number | null
  last_grant: Generated<number>
  asked_at: Stamp
  expires_at: Stamp
  state: Generated<'pending' | 'done' | 'withdrawn' | 'expired'>
  decided_at: ColumnType<Date | null, never, never>
  decided_by: string | null
  kind: GeneratedAlways<'grant' | 'revoke' | 'link' | 'unlink' | 'policy'>
  person: GeneratedAlways<string | null>
  name: GeneratedAlways<string | null>
  role: GeneratedAlways<Role | null>
  environment: GeneratedAlways<string | null>
  surface: GeneratedAlways<string | null>
  tenant: GeneratedAlways<string | null>
  account: GeneratedAlways<string | null>
  policy: GeneratedAlways<string | null>
}

export interface PowerConfirmationTable {
  change_id: string
  digest: string
  principal_id: string
  link_id: number
  last_grant: Generated<number>
  at: Stamp
}

export interface PolicyVersionTable {
  digest: string
  text: string
  at: Stamp
}

export interface PolicyActivationTable {
  id: GeneratedAlways<number>
  digest: string
  change_id: string | null
  at: Stamp
}

export interface KillSwitchTable {
  scope: string
  engaged: boolean
  generation: Generated<number>
  by_whom: string
  at: Stamp
}

export interface StartVoteTable {
  scope: string
  generation: number
  principal_id: string
  lapsed: Generated<number>
  at: Stamp
}

export interface FreezeWindowTable {
  id: Generated<string>
  scope: string
  starts_at: Date
  ends_at: Date
  reason: string
  by_whom: string
  created_at: Stamp
  ended_at: Date | null
  ended_by: string | null
}

export interface ActionDefinitionTable {
  kind: string
  version: number
  reversibility: 'reversible' | 'compensable' | 'irreversible'
  risk: 'safe' | 'caution'
  role: Role
  min_needed: number
  requester_may_approve: boolean
  step_up: 'none' | 'typed'
  max_ttl_seconds: number
  min_cooldown_seconds: number
  retry: 'token' | 'precondition' | 'never'
  probe_horizon_seconds: number
}

/** The columns after `expires_at` are read from the canonical text by the database. */
export interface PlanTable {
  id: string
  canonical: string
  digest: string
  created_at: Stamp
  expires_at: Date
  incident_id: GeneratedAlways<string>
  severity: GeneratedAlways<number>
  action_kind: GeneratedAlways<string>
  action_version: GeneratedAlways<number>
  environment: GeneratedAlways<string>
  resource: GeneratedAlways<string>
  reversibility: GeneratedAlways<string>
  requester: GeneratedAlways<string | null>
  cause: GeneratedAlways<string>
  role: GeneratedAlways<Role>
  needed: GeneratedAlways<number>
  requester_may_approve: GeneratedAlways<boolean>
  confirm: GeneratedAlways<string | null>
  cooldown_seconds: GeneratedAlways<number>
  max_attempts: GeneratedAlways<number>
  build: GeneratedAlways<string>
  undo_plan_id: GeneratedAlways<string | null>
  undo_digest: GeneratedAlways<string | null>
  undo_of: GeneratedAlways<string | null>
}

export interface RequestTable {
  id: Generated<string>
  plan_id: string
  digest: string
  incident_id: string
  state: Generated<RequestState>
  created_at: Stamp
  decided_at: ColumnType<Date | null, never, never>
  decided_by: string | null
  reason: string | null
  render_hash: string
  render_version: number
}

export interface PresentationTable {
  request_id: string
  surface: Surface
  tenant: string
  place: string
}

export interface VoteTable {
  request_id: string
  plan_id: string
  digest: string
  principal_id: string
  link_id: number
  decision: Decision
  surface: Surface
  tenant: string
  external_id: string
  place: string
  confirm: string | null
  reason: string | null
  last_grant: Generated<number>
  delivery_key: string
  at: Stamp
}

export interface AuthorisationTable {
  id: Generated<string>
  plan_id: string
  digest: string
  kind: 'votes' | 'undo'
  request_id: string | null
  parent_execution_id: string | null
  at: Stamp
}

export interface ExecutionTable {
  id: Generated<string>
  authorisation_id: string
  plan_id: string
  digest: string
  resource: string
  epoch: number
  state: ColumnType<ExecutionState, never, never>
}

export interface ExecutionEventTable {
  execution_id: string
  seq: number
  from_state: string
  to_state: ExecutionState
  epoch: number
  at: Stamp
  detail: Json
}

export interface UndoWaivedTable {
  execution_id: string
  how: 'kept' | 'lapsed'
  principal_id: string | null
  at: Stamp
}

export interface AuditEntryTable {
  seq: ColumnType<number, never, never>
  prev: ColumnType<string, never, never>
  hash: ColumnType<string, never, never>
  at: Stamp
  actor: ColumnType<string, never, never>
  what: ColumnType<string, never, never>
  body: ColumnType<Record<string, unknown>, never, never>
}

export interface RestorationTable {
  id: Generated<number>
  taken_at: Date | string
  entries: number
  head: string
  sha256: string
  by_whom: Generated<string>
  at: Stamp
}

export interface AcceptedEffectTable {
  execution_id: string
  plan_id: string
  digest: string
  resource: string
  reason: string
  by_whom: Generated<string>
  at: Stamp
}

export interface RefusedAttemptTable {
  id: Generated<number>
  principal_id: string
  what: string
  code: string
  request_id: string | null
  at: Stamp
}

export interface DrillStartTable {
  run_id: string
  name: string
  principal_id: string | null
  at: Stamp
}

export interface KernelTables {
  principal: PrincipalTable
  identity_link: IdentityLinkTable
  role: RoleTable
  role_grant: RoleGrantTable
  power_change: PowerChangeTable
  power_confirmation: PowerConfirmationTable
  policy_version: PolicyVersionTable
  policy_activation: PolicyActivationTable
  kill_switch: KillSwitchTable
  start_vote: StartVoteTable
  freeze_window: FreezeWindowTable
  action_definition: ActionDefinitionTable
  plan: PlanTable
  request: RequestTable
  presentation: PresentationTable
  vote: VoteTable
  authorisation: AuthorisationTable
  execution: ExecutionTable
  execution_event: ExecutionEventTable
  undo_waived: UndoWaivedTable
  audit_entry: AuditEntryTable
  restoration: RestorationTable
  accepted_effect: AcceptedEffectTable
  refused_attempt: RefusedAttemptTable
  drill_start: DrillStartTable
}
