import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../edge/free-port.ts'

/** A way to a server that can be cut, as when the server is gone, and mended. */
export interface TcpProxy {
  port: number
  /** Ends every connection; new ones are refused. */
  cut(): Promise<void>
  mend(): Promise<void>
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>()
  const port = await freePort()
  const server = createServer((client) => {
    const upstream = connect(target)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
      // A broken connection closes, which is all that matters here.
      socket.on('error', () => {})
    }
    client.pipe(upstream).pipe(client)
  })
  const listen = async (): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen()
  return {
    port,
    async cut() {
      if (!server.listening) return
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
    mend: listen,
  }
}
