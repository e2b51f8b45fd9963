import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import type { ShopLog } from './service.ts'
import type { SupervisorLink } from './supervisor-link.ts'

/** The door of the shop for those who come over TLS. It shows the certificate it is told to, and a new one without being closed. */
export function openSecureDoor(link: SupervisorLink, log: ShopLog): void {
  let shown: number | null = null
  const door = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  door.on('tlsClientError', () => undefined)
  const show = (): void => {
    const wanted = link.conditions().certificate
    if (wanted === undefined || wanted === shown) return
    try {
      const pem = readFileSync(join(link.settings.dataDir, 'certificates', `${wanted}.pem`), 'utf8')
      door.setSecureContext({ key: pem, cert: pem })
      if (shown === null) door.listen(0, '127.0.0.1', () => link.secureDoor((door.address() as AddressInfo).port))
      shown = wanted
    } catch (error) {
      log('error', `the certificate ${wanted} cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  link.onConditions(show)
  show()
}
