import type { Settings } from '../config.ts'
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
  return createApiClient(url, settings.api.keys[0]?.key ?? null)
}
