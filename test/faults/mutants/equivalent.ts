/** Whoever opens the embedded database owns it. On PostgreSQL the test of the process roles (test/storage/kernel/process-roles.test.ts) notices. */
const ONE_LOGIN = 'the embedded database has one login, which is the host'
const NOTHING_BEFORE = 'of a row that is new there is no old one, and what is compared with nothing is never different'
const ONE_ROW = 'the table has one row, by a constraint of its own'
const OF_ONE_PERSON = 'may() asks for a role of that person itself, in the environment of whichever row'
const SAVES_AN_UPDATE = 'it saves an update that would change nothing'

/**
 * Mutants that no test can notice, each with the reason why it changes nothing. The run fails on a line that is not needed: one whose mutant is
 * gone, or is noticed.
 */
export const EQUIVALENT: Readonly<Record<string, string>> = {
  "kill_switch_guard: without perform refuse('not-authorised', 'Only the command line on the host speaks for the host.');": ONE_LOGIN,
  "kill_switch_guard: without if new.by_whom = 'host'": ONE_LOGIN,
  "kill_switch_guard: without if tg_op = 'UPDATE'": NOTHING_BEFORE,
  'execution_event_moves: without and (state, epoch) is distinct from (new.to_state, new.epoch)': SAVES_AN_UPDATE,
  "request_tells: without if tg_op = 'UPDATE'": NOTHING_BEFORE,
  'take_turn: without where id = 1': ONE_ROW,
  'may_anywhere: without where g.principal_id = who': OF_ONE_PERSON,
  "freeze_guard: without if (who = 'host' and not is_host())": ONE_LOGIN,
}
