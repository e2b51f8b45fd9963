import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Runbooks in parts, as they were read from their folders at the last start. They are written anew then, so nothing refers to them. */
export const migration0009: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(RUNBOOKS).execute(db)
  },
}

const RUNBOOKS = /* sql */ `
create table runbook_chunk (
  file     text not null check (file <> '' and length(file) <= 300),
  ordinal  int not null check (ordinal >= 0),
  anchor   text not null check (length(anchor) <= 300),
  title    text not null check (length(title) <= 300),
  heading  text not null check (length(heading) <= 300),
  body     text not null constraint runbook_chunk_bounded check (length(body) <= 4000),
  services text[] not null,
  alerts   text[] not null,
  classes  text[] not null,
  -- What it is called counts more than what it says.
  search   tsvector not null generated always as (
    setweight(to_tsvector('english', title || ' ' || heading), 'A') || setweight(to_tsvector('english', body), 'C')
  ) stored,
  primary key (file, ordinal)
);
create index runbook_chunk_search on runbook_chunk using gin (search);
`
