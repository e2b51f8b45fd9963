import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROGRAM = join(import.meta.dirname, 'hold-cache.ts')
const TIMEOUT_MS = 5 * 60_000

export interface CacheMemory {
  heapMb: number
  rssMb: number
}

/** What a process of its own weighs that follows one namespace, and what of it is the cache. */
export async function cacheMemory(kubeconfig: string, namespace: string, pods: number): Promise<CacheMemory> {
  const { stdout } = await run(process.execPath, ['--expose-gc', PROGRAM, kubeconfig, namespace, String(pods)], { timeout: TIMEOUT_MS })
  return JSON.parse(stdout) as CacheMemory
}
