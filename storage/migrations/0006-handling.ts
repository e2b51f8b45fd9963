import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What people say of incidents: which alerts belong together, and whether a diagnosis was right. */
export const migration0006: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(HANDLING).execute(db)
  },
}

const HANDLING = /* sql */ `
-- Where a person put an alert when incidents were merged or split; the latest row of an alert counts. The alert itself stays as it was taken.
create table alert_move (
  id               bigint generated always as identity primary key,
  alert_id         bigint not null references alert,
  from_incident_id text not null references incident,
  incident_id      text not null references incident,
  person_id        text not null references principal,
  at               timestamptz not null,
  constraint alert_move_goes_elsewhere check (incident_id <> from_incident_id)
);
create index alert_move_alert on alert_move (alert_id, id desc);
create index alert_move_incident on alert_move (incident_id);
create trigger alert_move_stays before update or delete on alert_move for each row execute function incident_history_stays();

-- Every alert with the incident it belongs to now.
create view placed_alert as
  select a.*, coalesce((select m.incident_id from alert_move m where m.alert_id = a.id order by m.id desc limit 1), a.incident_id) as belongs_to
  from alert a;

-- What a person says of a diagnosis; the latest row of a person counts.
create table incident_feedback (
  id          bigint generated always as identity primary key,
  incident_id text not null references incident,
  -- The version of the diagnosis that was on the card.
  diagnosis   int not null,
  person_id   text not null references principal,
  verdict     text not null constraint incident_feedback_verdict check (verdict in ('right', 'wrong')),
  -- What it really was, where the person said so.
  class       text check (class <> '' and length(class) <= 60),
  component   text check (component <> '' and length(component) <= 200),
  words       text check (words <> '' and length(words) <= 500),
  at          timestamptz not null,
  constraint incident_feedback_is_of_a_diagnosis foreign key (incident_id, diagnosis) references hypothesis_set (incident_id, version),
  constraint incident_feedback_right_needs_no_other check (verdict = 'wrong' or (class is null and component is null))
);
create index incident_feedback_incident on incident_feedback (incident_id, id);
create trigger incident_feedback_stays before update or delete on incident_feedback for each row execute function incident_history_stays();
`
