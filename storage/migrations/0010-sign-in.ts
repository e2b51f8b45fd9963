import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Sign-in at an identity provider: what is under way, and what a session at the provider is known by. */
export const migration0010: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(SIGN_IN).execute(db)
  },
}

const SIGN_IN = /* sql */ `
-- A browser on its way to the provider and back. The token is the browser's; state, nonce and code verifier are made from it and stored nowhere.
create table sign_in_attempt (
  token_hash text primary key constraint sign_in_attempt_token_is_a_hash check (token_hash ~ '^[0-9a-f]{64}$'),
  return_to  text not null constraint sign_in_attempt_returns_here check (return_to ~ '^/' and return_to !~ '^/[/\\\\]' and length(return_to) <= 1000),
  created_at timestamptz not null default clk(),
  expires_at timestamptz not null,
  constraint sign_in_attempt_is_short check (expires_at > created_at and expires_at <= created_at + interval '10 minutes')
);
create index sign_in_attempt_expires on sign_in_attempt (expires_at);

-- What the provider knows a session by. It ends with the session.
create table provider_session (
  token_hash   text primary key references session on delete cascade,
  -- The issuer, and the id its account is linked by: with surface 'console' they are an identity link.
  tenant       text not null check (tenant <> '' and length(tenant) <= 500),
  external_id  text not null check (external_id <> '' and length(external_id) <= 255),
  -- The provider's own ids of the account and of the session, for a logout that it tells of.
  subject      text not null check (subject <> '' and length(subject) <= 255),
  sid          text check (sid <> '' and length(sid) <= 255),
  -- The provider's tokens, sealed with the browser's token: whoever reads this table cannot use them.
  sealed       bytea not null constraint provider_session_sealed_bounded check (octet_length(sealed) <= 65536),
  -- When the provider last said that the session lives, and from when on it is asked again.
  confirmed_at timestamptz not null default clk(),
  check_at     timestamptz not null
);
create index provider_session_subject on provider_session (tenant, subject);
create index provider_session_sid on provider_session (tenant, sid);
`
