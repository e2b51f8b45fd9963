import { openDatabase } from '../../../storage/database.ts'
import type { ProcessRole } from '../../../storage/process-roles.ts'
import { openEdge } from '../edge/edge-harness.ts'
import { createSharedTarget } from './shared-target.ts'

/** One of three processes over a target that is shared through a file: `node role-process.ts ROLE DATABASE_URL TARGET_FILE`. Prints where it listens. */
const [role, databaseUrl = '', file = ''] = process.argv.slice(2) as [ProcessRole, string?, string?]
const now = (): Date => new Date()
const database = await openDatabase({ dataDir: ':memory:', databaseUrl, now })
const running = await openEdge(database, {
  parts: { edge: role === 'edge', agent: role === 'agent', executor: role === 'executor' },
  target: createSharedTarget(file, now),
})
process.on('SIGTERM', async () => {
  await running.close()
  await database.close()
  for (const { level, object, message } of running.lines) process.stderr.write(`${level} ${message} ${JSON.stringify(object)}\n`)
})
process.stdout.write(`${JSON.stringify({ url: running.url })}\n`)
