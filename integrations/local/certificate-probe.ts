import { connect } from 'node:tls'

const TIMEOUT_MS = 700
const DAY_MS = 86_400_000

/** Days until the certificate that is shown at a loopback port ends; negative when it has. Rejects when none is shown in time. */
export function certificateDaysLeft(port: number, now: Date): Promise<number> {
  return new Promise((resolve, reject) => {
    // It is its date that is asked for: whether anybody trusts it is not this probe's question.
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'shop.local' })
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no certificate was shown in time')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const ends = Date.parse(socket.getPeerCertificate().valid_to)
      socket.destroy()
      if (Number.isFinite(ends)) resolve((ends - now.getTime()) / DAY_MS)
      else reject(new Error('the certificate does not say when it ends'))
    })
  })
}
