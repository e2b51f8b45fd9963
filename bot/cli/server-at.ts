import type { Workspace } from '../../agent/domain/workspace.ts'
import type { ApiKey, Settings } from '../config.ts'
import { type ApiClient, createApiClient, isRunning } from './api-client.ts'

/** Where a server with these settings would answer on this machine. */
export function addressOf({ host, port }: Pick<Settings, 'host' | 'port'>): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** The server that runs with these settings, or null when none does. */
export async function runningServer(settings: Settings): Promise<ApiClient | null> {
  const url = addressOf(settings)
  if (settings.port === 0 || !(await isRunning(url))) return null
  return createApiClient(url, widestKey(settings)?.key ?? null)
}

/** The key that sees most: of a workspace of everything, else of the most workspaces, else the first. Null where there are none. */
export function widestKey({ api, workspaces }: Pick<Settings, 'api' | 'workspaces'>): ApiKey | null {
  const reach = (key: ApiKey): number => {
    const own = workspacesOf(key, workspaces)
    return own.some(({ services, environments }) => services === null && environments === null) ? workspaces.length + 1 : own.length
  }
  return api.keys.toSorted((a, b) => reach(b) - reach(a))[0] ?? null
}

/** What a key without a name belongs to: none. */
export function workspacesOf({ name }: ApiKey, workspaces: readonly Workspace[]): Workspace[] {
  return name === null ? [] : workspaces.filter(({ keys }) => keys.includes(name))
}
