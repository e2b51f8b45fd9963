import type { z } from 'zod'
import { Refusal } from '../../agent/domain/refusal.ts'
import { modeSchema } from '../api/system.ts'
import type { Settings } from '../config.ts'
import { readHostSecret } from '../host-secret.ts'
import type { App } from '../main.ts'
import { type ApiClient, createApiClient, RefusedCall } from './api-client.ts'
import { CommandFailed } from './failure.ts'
import { addressOf, runningServer } from './server-at.ts'
import { withStoppedApp } from './stopped-app.ts'

/**
 * What only the operator on the host may do: through the server that runs with these settings, which knows its operator by a secret; when none
 * runs, straight to the database.
 *
 * @throws CommandFailed with the words of a refusal, or when the server's secret cannot be read
 */
export async function onHost<T>(
  settings: Settings,
  ways: { running(server: ApiClient): Promise<T>; stopped(app: App): Promise<T> },
): Promise<T> {
  return await runningOrNot(settings, { ...ways, stopped: async () => await withStoppedApp(settings, ways.stopped) })
}

/** The same for work that opens the database itself. */
export async function runningOrNot<T>(
  settings: Settings,
  ways: { running(server: ApiClient): Promise<T>; stopped(): Promise<T> },
): Promise<T> {
  try {
    if ((await runningServer(settings)) === null) return await ways.stopped()
    return await throughServer(settings, ways)
  } catch (error) {
    if (error instanceof Refusal || error instanceof RefusedCall) throw new CommandFailed(error.message)
    throw error
  }
}

/** A server that is one of several processes does not speak for the host: the owner of the database does, whose address is in the settings then. */
async function throughServer<T>(settings: Settings, ways: { running(server: ApiClient): Promise<T>; stopped(): Promise<T> }): Promise<T> {
  try {
    return await ways.running(createApiClient(addressOf(settings), hostSecretOf(settings)))
  } catch (error) {
    if (!(error instanceof RefusedCall) || error.problem.code !== 'not-authorised' || settings.databaseUrl === null) throw error
    return await ways.stopped()
  }
}

/** The server as its operator, who is told everything, and as it is now. Null where its secret cannot be read or is another server's. */
export async function operatorOf(settings: Settings): Promise<ApiClient | null> {
  const secret = secretIn(settings)
  const operator = secret === null ? null : createApiClient(addressOf(settings), secret)
  try {
    await operator?.call('GET', '/api/v1/admin/mode', modeSchema)
    return operator
  } catch (error) {
    if (!(error instanceof RefusedCall)) throw error
    return null
  }
}

function secretIn({ dataDir }: Settings): string | null {
  try {
    return readHostSecret(dataDir)
  } catch {
    // It belongs to the user of the server: what is asked is asked with a key then.
    return null
  }
}

/** What is told at a path below /api/v1/admin to the operator and, where there is none, below /api/v1 to a key. @throws RefusedCall */
export async function toldOnHost<T>(
  { operator, server }: { operator: ApiClient | null; server: ApiClient },
  path: `/${string}`,
  schema: z.ZodType<T>,
): Promise<T> {
  if (operator !== null) return await operator.call('GET', `/api/v1/admin${path}`, schema)
  return await server.call('GET', `/api/v1${path}`, schema)
}

function hostSecretOf({ dataDir }: Settings): string {
  const words = `Run it as the user of the server, with the server's STEADYHAND_DATA_DIR (now ${dataDir}).`
  try {
    const secret = readHostSecret(dataDir)
    if (secret !== null) return secret
  } catch (cause) {
    throw new CommandFailed(`The server's secret cannot be read (${cause instanceof Error ? cause.message : String(cause)}). ${words}`)
  }
  throw new CommandFailed(`There is no secret of a server in ${dataDir}. ${words}`)
}
