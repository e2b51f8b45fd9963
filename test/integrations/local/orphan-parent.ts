import { createLocalTarget } from '../../../integrations/local/index.ts'
import { scriptedDeps } from './scripted-deps.ts'

/** A supervisor to be killed: starts the shop, says its processes' ids on one line, and waits. */
const dir = process.argv[2]
if (!dir) throw new Error('the directory is missing')
const target = createLocalTarget(scriptedDeps(), { dir })
await target.start()
process.stdout.write(`${JSON.stringify(target.processes().map(({ pid }) => pid))}\n`)
setInterval(() => undefined, 60_000)
