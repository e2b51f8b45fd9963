import { randomBytes } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Surface } from '../agent/domain/principal.ts'
import type { Database } from './schema.ts'

/** A message in a chat: what it should say, and where it stands. */
export interface Posting {
  id: number
  kind: string
  ref: string
  incidentId: string | null
  /** What is said once; null where it is drawn from the rows. */
  body: Record<string, unknown> | null
  priority: number
  wanted: number
  shown: number
  head: string | null
  print: string | null
  place: string
  thread: string | null
  /** The platform's name of it; null while it was never posted, or nobody knows. */
  message: string | null
  /** A first posting was begun then. */
  begunAt: Date | null
  shownAt: Date | null
  nonce: string
  attempts: number
}

export interface NewPosting {
  kind: string
  ref: string
  incidentId: string | null
  priority: number
  place: string
}

/** What waits to be shown on a surface, and what was shown where. Nothing of it is lost while the surface is away. */
export interface Postings {
  /**
   * What this shows has changed: it is drawn anew, once, however often it was wanted meanwhile. It stays where it stands, whatever place is named
   * now; a card that stands nowhere yet goes to the place that is named, but for a request, which counts only where it was asked.
   */
  draw(surface: Surface, posting: NewPosting): Promise<void>
  /** To be said once; the same ref again changes nothing. Returns whether it is new. */
  say(surface: Surface, posting: NewPosting & { body: Record<string, unknown>; thread: string | null }): Promise<boolean>
  /** Replaces what was said as unfinished (`unfinished: true` in its body); anything else stays as it was said. */
  finish(surface: Surface, what: { kind: string; ref: string; body: Record<string, unknown> }): Promise<void>
  /**
   * The most urgent that is due, kept from everybody else for so long. What belongs into the thread of a card waits for the card, and goes where
   * the card stands; but for an answer, which was made for where somebody asked. Nothing of the places `notIn`, which take nothing yet.
   */
  claim(surface: Surface, leaseSeconds: number, notIn?: readonly string[]): Promise<Posting | null>
  /** To be called before it is posted for the first time; with the thread of another card where a card is a reply to that, or null where it is none. */
  begin(id: number, thread?: string | null): Promise<void>
  /** It stands there and shows what was wanted by then. */
  shown(id: number, now: { message: string; wanted: number; head: string | null; print: string | null }): Promise<void>
  /**
   * Not now: set back, with what went wrong or without. Without, it is a quiet pause, which ends as soon as it should show something else; what went
   * wrong is waited for in any case, however often it should.
   */
  later(id: number, notBefore: Date, error?: string): Promise<void>
  /** From now on it belongs there, and is posted anew: where it stood, nothing can be shown any more. */
  move(id: number, place: string): Promise<void>
  /** Gives up: the platform will never take it. */
  bury(id: number, error: string): Promise<void>
  find(surface: Surface, kind: string, ref: string): Promise<Posting | null>
  /** What stands there; null for a message that is none of ours. */
  at(surface: Surface, place: string, message: string): Promise<Posting | null>
  /** Whether somebody has claimed another one of this kind in this place, and may be posting it. */
  isHeldBeside(surface: Surface, one: { id: number; kind: string; place: string }): Promise<boolean>
  /** The incident that a thread is about: of the cards that stand in it the last, else that of the message at its top. Null for none of ours. */
  incidentIn(surface: Surface, place: string, thread: string): Promise<string | null>
  /** Claims that a dead process left. */
  dropClaims(surface: Surface): Promise<void>
  /** How many wait, and for how long the oldest has, in seconds; null when none does. */
  oldest(surface: Surface): Promise<{ waiting: number; seconds: number } | null>
}

const ERROR_LENGTH = 2_000
const COLUMNS = sql`id, kind, ref, incident_id as "incidentId", body, priority, wanted, shown, head, print, place, thread, message,
  begun_at as "begunAt", shown_at as "shownAt", nonce, attempts`

export function createPostings({ db }: { db: Kysely<Database> }): Postings {
  const one = async (statement: ReturnType<typeof sql<Posting>>): Promise<Posting | null> => (await statement.execute(db)).rows[0] ?? null
  return {
    async draw(surface, { kind, ref, incidentId, priority, place }) {
      await sql`
        insert into posting (surface, kind, ref, incident_id, priority, place, nonce)
        values (${surface}, ${kind}, ${ref}, ${incidentId}, ${priority}, ${place}, ${nonce()})
        on conflict on constraint posting_once do update set wanted = posting.wanted + 1, dead_at = null,
          place = case when posting.begun_at is null and posting.kind <> 'approval' then excluded.place else posting.place end,
          not_before = case when posting.attempts = 0 then clk() else posting.not_before end`.execute(db)
    },
    async say(surface, { kind, ref, incidentId, priority, place, body, thread }) {
      const { rows } = await sql`
        insert into posting (surface, kind, ref, incident_id, priority, place, thread, body, nonce)
        values (${surface}, ${kind}, ${ref}, ${incidentId}, ${priority}, ${place}, ${thread}, ${JSON.stringify(body)}::jsonb, ${nonce()})
        on conflict on constraint posting_once do nothing returning id`.execute(db)
      return rows.length === 1
    },
    async finish(surface, { kind, ref, body }) {
      await sql`
        update posting set body = ${JSON.stringify(body)}::jsonb, wanted = wanted + 1, dead_at = null,
          not_before = case when attempts = 0 then clk() else not_before end
        where surface = ${surface} and kind = ${kind} and ref = ${ref} and body -> 'unfinished' = 'true'`.execute(db)
    },
    claim: (surface, leaseSeconds, notIn = []) =>
      one(sql<Posting>`
        with due as materialized (
          select id from posting waits
          where surface = ${surface} and dead_at is null and wanted > shown and not_before <= (select clk())
            and (claimed_until is null or claimed_until <= (select clk())) and place <> all (${[...notIn]}::text[])
            and (kind = 'incident' or incident_id is null or thread is not null or exists (
              select from posting card where card.surface = waits.surface and card.kind = 'incident' and card.ref = waits.incident_id
                and (card.message is not null or card.dead_at is not null)
            ))
          order by priority, id limit 1 for update skip locked
        ), claimed as (
          update posting set claimed_until = clk() + make_interval(secs => ${leaseSeconds}), place = coalesce((
            select card.place from posting card
            where posting.kind not in ('incident', 'approval', 'answer', 'file', 'picture') and posting.message is null and posting.thread is null
              and card.surface = posting.surface and card.kind = 'incident' and card.ref = posting.incident_id and card.message is not null
          ), posting.place)
          from due where posting.id = due.id returning posting.*
        )
        select ${COLUMNS} from claimed`),
    async begin(id, thread) {
      const where = thread === undefined ? sql`thread` : sql`${thread}`
      await sql`update posting set begun_at = coalesce(begun_at, clk()), thread = ${where} where id = ${id}`.execute(db)
    },
    async shown(id, { message, wanted, head, print }) {
      await sql`
        update posting set message = ${message}, shown = ${wanted}, head = ${head}, print = ${print}, shown_at = clk(), attempts = 0,
          claimed_until = null, last_error = null, not_before = clk() where id = ${id}`.execute(db)
    },
    async later(id, notBefore, error) {
      await sql`
        update posting set claimed_until = null, not_before = ${notBefore}, attempts = attempts + ${error === undefined ? 0 : 1},
          last_error = ${error?.slice(0, ERROR_LENGTH) ?? null} where id = ${id}`.execute(db)
    },
    async move(id, place) {
      await sql`
        update posting set place = ${place}, thread = null, message = null, begun_at = null, shown_at = null, head = null, print = null,
          shown = least(shown, wanted - 1), claimed_until = null, attempts = 0, dead_at = null, not_before = clk() where id = ${id}`.execute(
        db,
      )
    },
    async bury(id, error) {
      await sql`update posting set claimed_until = null, dead_at = clk(), last_error = ${error.slice(0, ERROR_LENGTH)} where id = ${id}`.execute(
        db,
      )
    },
    find: (surface, kind, ref) =>
      one(sql<Posting>`select ${COLUMNS} from posting where surface = ${surface} and kind = ${kind} and ref = ${ref}`),
    at: (surface, place, message) =>
      one(sql<Posting>`select ${COLUMNS} from posting where surface = ${surface} and place = ${place} and message = ${message} limit 1`),
    async isHeldBeside(surface, { id, kind, place }) {
      const { rows } = await sql`
        select from posting where surface = ${surface} and kind = ${kind} and place = ${place} and id <> ${id}
          and wanted > shown and dead_at is null and claimed_until > clk() limit 1`.execute(db)
      return rows.length > 0
    },
    async incidentIn(surface, place, thread) {
      const { rows } = await sql<{ incidentId: string | null }>`
        select coalesce((
          select incident_id from posting
          where surface = ${surface} and kind = 'incident' and place = ${place} and thread = ${thread} and message is not null
          order by id desc limit 1
        ), (
          select incident_id from posting where surface = ${surface} and place = ${place} and message = ${thread} limit 1
        ), (
          select body ->> 'subject' from posting
          where surface = ${surface} and kind = 'answer' and place = ${place} and (message = ${thread} or thread = ${thread})
            and body ->> 'subject' is not null
          order by id desc limit 1
        )) as "incidentId"`.execute(db)
      return rows[0]?.incidentId ?? null
    },
    async dropClaims(surface) {
      await sql`update posting set claimed_until = null where surface = ${surface} and claimed_until is not null`.execute(db)
    },
    async oldest(surface) {
      const { rows } = await sql<{ waiting: number; seconds: number }>`
        select count(*) as waiting, extract(epoch from clk() - min(coalesce(shown_at, at)))::float8 as seconds from posting
        where surface = ${surface} and dead_at is null and wanted > shown and attempts > 0`.execute(db)
      const found = rows[0]
      return found && found.waiting > 0 ? found : null
    },
  }
}

function nonce(): string {
  return randomBytes(18).toString('base64url')
}
