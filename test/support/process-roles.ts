import { randomBytes, randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { PROCESS_ROLES, type ProcessRole, roleName } from '../../storage/process-roles.ts'
import type { Database } from '../../storage/schema.ts'

/** A login for each process, as a DBA makes them: a member of the process's role and nothing else. `drop` removes them. */
export async function createLogins(
  owner: Kysely<Database>,
  url: string,
): Promise<{ urls: Record<ProcessRole, string>; drop(): Promise<void> }> {
  const urls: Partial<Record<ProcessRole, string>> = {}
  const names: string[] = []
  for (const role of PROCESS_ROLES) {
    const [name, password] = [`test_${role}_${randomUUID().slice(0, 8)}`, randomBytes(12).toString('hex')]
    await sql.raw(`create role ${name} login password '${password}' in role ${roleName(role)}`).execute(owner)
    const login = new URL(url)
    Object.assign(login, { username: name, password })
    urls[role] = login.href
    names.push(name)
  }
  return {
    urls: urls as Record<ProcessRole, string>,
    async drop() {
      for (const name of names) await sql.raw(`drop role if exists ${name}`).execute(owner)
    },
  }
}
