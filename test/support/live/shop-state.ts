import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { createAppMeta } from '../../../storage/app-meta.ts'
import { openDatabase } from '../../../storage/database.ts'

const stateSchema = z.object({
  changes: z.array(
    z.object({ kind: z.string(), service: z.string(), by: z.string().nullable(), from: z.string().nullable(), to: z.string().nullable() }),
  ),
})
type Change = z.infer<typeof stateSchema>['changes'][number]

/** What was really done to the shop by Steadyhand, from the shop's own memory in the data of a product that has ended. */
export async function effectsOnShop(dataDir: string): Promise<Change[]> {
  const database = await openDatabase({ dataDir, now: () => new Date() })
  try {
    return stateSchema
      .parse(await createAppMeta(database).get('integration:local:local/target'))
      .changes.filter(({ by }) => by === 'steadyhand')
  } finally {
    await database.close()
  }
}

/** The processes that a process started and that still run; empty where /proc cannot tell. */
export function childrenOf(pid: number): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid)
}

/** Whether a process runs; one that ended and was not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    // Nobody has this number.
    return false
  }
  return statOf(pid)?.state !== 'Z'
}

function parentOf(pid: number): number | null {
  return statOf(pid)?.parent ?? null
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state, parent: Number(parent) }
  } catch {
    // It ended between the listing and the reading, or this is no Linux.
    return null
  }
}
