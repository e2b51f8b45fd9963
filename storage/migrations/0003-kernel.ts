import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { APPROVALS } from './kernel/approvals.ts'
import { AUDIT } from './kernel/audit.ts'
import { CONTROLS } from './kernel/controls.ts'
import { EXECUTIONS } from './kernel/executions.ts'
import { GRANTS } from './kernel/grants.ts'
import { GROUND } from './kernel/ground.ts'
import { PEOPLE } from './kernel/people.ts'
import { PLANS } from './kernel/plans.ts'
import { POWER } from './kernel/power.ts'
import { PROTECTION } from './kernel/protection.ts'

/** The approval kernel: what may happen is decided here, by constraints and guards; code above adds only clear messages. */
export const migration0003: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    for (const part of [GROUND, PEOPLE, POWER, CONTROLS, PLANS, APPROVALS, EXECUTIONS, GRANTS, AUDIT, PROTECTION])
      await sql.raw(part).execute(db)
  },
}
