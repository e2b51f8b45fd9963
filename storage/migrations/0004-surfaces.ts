import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What the surfaces keep: who is signed in to the console, and what was said where. */
export const migration0004: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(SURFACES).execute(db)
  },
}

const SURFACES = /* sql */ `
-- A browser somebody signed in with. Whoever reads this table learns no token: it holds only what a token hashes to.
create table session (
  token_hash text primary key constraint session_token_is_a_hash check (token_hash ~ '^[0-9a-f]{64}$'),
  person_id  text not null references principal,
  -- 'named': one of the people of a console without sign-in; 'oidc': signed in at an identity provider.
  method     text not null constraint session_method check (method in ('named', 'oidc')),
  created_at timestamptz not null default clk(),
  expires_at timestamptz not null,
  -- One working day at most, however often it is used.
  constraint session_is_short check (expires_at > created_at and expires_at <= created_at + interval '8 hours')
);
create index session_expires on session (expires_at);

-- What was said on a surface. The ref is the notice's own name, so that a notice taken from the outbox twice is said once.
create table surface_message (
  id          bigint generated always as identity primary key,
  surface     text not null constraint surface_message_surface check (surface in ('slack', 'teams', 'console')),
  -- Null for what concerns no incident.
  incident_id text references incident,
  kind        text not null check (kind <> '' and length(kind) <= 60),
  ref         text not null check (ref <> '' and length(ref) <= 300),
  text        text not null check (length(text) <= 4000),
  blocks      jsonb not null constraint surface_message_blocks_bounded check (octet_length(blocks::text) <= 65536),
  at          timestamptz not null default clk(),
  constraint surface_message_said_once unique (surface, kind, ref)
);
create index surface_message_thread on surface_message (surface, incident_id, id);
`
