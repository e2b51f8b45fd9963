import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What is shown in a chat: what a message should say, what it says, and where it stands. */
export const migration0011: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(POSTINGS).execute(db)
  },
}

const POSTINGS = /* sql */ `
create table posting (
  id          bigint generated always as identity primary key,
  surface     text not null constraint posting_surface check (surface in ('slack', 'teams', 'console')),
  kind        text not null check (kind <> '' and length(kind) <= 60),
  -- What it shows: the id of an incident or a request, or the own name of something that is said once.
  ref         text not null check (ref <> '' and length(ref) <= 300),
  -- In whose thread it stands; null for what concerns no incident.
  incident_id text references incident,
  -- What is said once, as it was said; null where it is drawn from the rows whenever it is shown.
  body        jsonb constraint posting_body_bounded check (octet_length(body::text) <= 131072),
  -- 1 is shown first, 9 last.
  priority    int not null constraint posting_priority check (priority between 1 and 9),
  -- Counts up whenever what it should show has changed; what was shown last stands beside it.
  wanted      int not null default 1,
  shown       int not null default 0,
  -- Fingerprints of what was shown last: of its head, by which an edit is urgent, and of the whole.
  head        text check (length(head) <= 64),
  print       text check (length(print) <= 64),
  -- Where it goes: the channel, and the message it answers, when that is not the card of its incident.
  place       text not null check (place <> '' and length(place) <= 100),
  thread      text check (length(thread) <= 100),
  -- The platform's own name of the message; null while it was never posted, or nobody knows whether it was.
  message     text check (length(message) <= 100),
  -- A first posting was begun then. Without a message after it, it is looked for before it is posted again.
  begun_at    timestamptz,
  shown_at    timestamptz,
  -- In the value of each of its buttons: who never saw this message cannot know it.
  nonce       text not null check (length(nonce) between 20 and 64),
  not_before  timestamptz not null default clk(),
  claimed_until timestamptz,
  attempts    int not null default 0,
  last_error  text check (length(last_error) <= 2000),
  dead_at     timestamptz,
  at          timestamptz not null default clk(),
  constraint posting_once unique (surface, kind, ref),
  constraint posting_message_has_a_time check ((message is null) = (shown_at is null))
);
create index posting_waits on posting (surface, priority, id) where dead_at is null and wanted > shown;
create index posting_by_message on posting (surface, place, message);
create index posting_of_incident on posting (incident_id);
`
