import { setTimeout as pause } from 'node:timers/promises'

const A_SECOND = 200
const EVERY_MS = 50
const PODS = 50

/** Sends 200 alerts a second by webhook, of fifty pods of one service that fails, until `end` is called; which tells how many were accepted a second. */
export function flood(url: string): { end(): Promise<number> } {
  let accepted = 0
  let over = false
  const began = performance.now()
  const send = async (number: number): Promise<void> => {
    const key = `pod-${number % PODS}`
    const body = JSON.stringify({ name: 'Flood', service: 'flood', environment: 'flood', status: 'firing', key })
    try {
      const response = await fetch(`${url}/webhooks/generic`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
      if (response.status === 202) accepted += 1
      await response.arrayBuffer()
    } catch {
      // A sender would try again; here it counts as not accepted.
    }
  }
  const running = (async () => {
    const sent: Promise<void>[] = []
    while (!over) {
      const due = Math.floor(((performance.now() - began) / 1_000) * A_SECOND)
      while (sent.length < due) sent.push(send(sent.length))
      await pause(EVERY_MS)
    }
    await Promise.all(sent)
  })()
  return {
    async end() {
      over = true
      await running
      return accepted / ((performance.now() - began) / 1_000)
    },
  }
}
