import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a model is asked by people stands beside what it looks into by itself, and each is counted for itself. */
export const migration0014: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(MODEL_QUESTIONS).execute(db)
  },
}

const MODEL_QUESTIONS = /* sql */ `
alter table model_run
  add column purpose text not null default 'investigation' constraint model_run_purpose check (purpose in ('investigation', 'question')),
  drop constraint model_run_incident_id_number_key,
  add constraint model_run_number unique (incident_id, purpose, number);
`
