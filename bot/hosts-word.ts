import type { PeopleStore } from '../agent/ports.ts'

export interface HostsWordDeps {
  people: Pick<PeopleStore, 'sync'>
  policy: { offer(): Promise<string | null> }
  rows: Parameters<PeopleStore['sync']>[0]
  log: { warn(object: object, message: string): void }
}

/** What the host's files say about people and policy, written into the database: at every start, and nowhere else. */
export async function takeTheHostsWord({ people, policy, rows, log }: HostsWordDeps): Promise<void> {
  const withheld = await people.sync(rows)
  if (withheld.length > 0) log.warn({ withheld }, 'an admin took away what the settings still give: two admins give it back')
  const waiting = await policy.offer()
  if (waiting !== null) log.warn({}, waiting)
}
