import { isMainThread } from 'node:worker_threads'

const LOOK_MS = 500

/**
 * npm runs a script through a shell and passes SIGTERM to that shell only, which dies of it and leaves the program behind. So a program
 * that npm or npx started ends, as if it had been sent SIGTERM itself, once its parent is gone.
 */
export function endWithParent() {
  const parent = process.ppid
  const looking = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(looking)
    process.kill(process.pid, 'SIGTERM')
  }, LOOK_MS)
  looking.unref()
}

/** Whether npm or npx stands above this process. */
export function startedByNpm() {
  return process.env.npm_lifecycle_event !== undefined
}

// Loaded with --import into the program itself. Processes that the program forks shall not inherit it.
const at = process.execArgv.indexOf(import.meta.url)
if (at > 0 && isMainThread) {
  process.execArgv.splice(at - 1, 2)
  endWithParent()
}
