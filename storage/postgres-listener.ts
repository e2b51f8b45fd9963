import pg from 'pg'

/** Notifications of a PostgreSQL server, over one connection of its own that is opened again when it breaks. */
export interface PostgresListener {
  listen(channel: string): Promise<void>
  close(): Promise<void>
}

export interface PostgresListenerOptions {
  databaseUrl: string
  /** Also called for every channel after a reconnection: something may have been missed. */
  onNotified(channel: string): void
  onError(error: Error): void
}

const RECONNECT_MS = 1_000

export function createPostgresListener({ databaseUrl, onNotified, onError }: PostgresListenerOptions): PostgresListener {
  const channels = new Set<string>()
  let client: pg.Client | null = null
  let retry: NodeJS.Timeout | undefined
  let closed = false

  const reconnect = (error?: Error): void => {
    if (closed) return
    if (error) onError(error)
    client = null
    clearTimeout(retry)
    retry = setTimeout(() => {
      connect()
        .then(() => channels.forEach(onNotified))
        .catch(reconnect)
    }, RECONNECT_MS)
  }

  const connect = async (): Promise<pg.Client> => {
    const fresh = new pg.Client({ connectionString: databaseUrl, application_name: 'steadyhand listener', keepAlive: true })
    fresh.on('notification', ({ channel }) => onNotified(channel))
    fresh.on('error', onError)
    await fresh.connect()
    for (const channel of channels) await fresh.query(listenStatement(channel))
    fresh.on('end', () => reconnect())
    client = fresh
    return fresh
  }

  return {
    async listen(channel) {
      channels.add(channel)
      if (client) await client.query(listenStatement(channel))
      else await connect()
    },
    async close() {
      closed = true
      clearTimeout(retry)
      await client?.end()
    },
  }
}

function listenStatement(channel: string): string {
  return `listen ${pg.escapeIdentifier(channel)}`
}
