import { setTimeout as pause } from 'node:timers/promises'
import { listOf } from '../../bot/api/lists.ts'
import { incidentSchema } from '../../bot/api/shapes.ts'
import type { PersonAt } from './person.ts'

/** Alerts are taken in the order in which they came, so one that comes in a flood waits for those before it. */
const CARD_WITHIN_MS = 120_000
const BETWEEN_ALERTS_MS = 300

/** From the webhook's request until the incident, with its card, can be read. Each alert is of a service nobody knows, so nothing is proposed. */
export async function alertToCard(url: string, person: PersonAt, name: string, alerts: number): Promise<number[]> {
  const samples: number[] = []
  for (let n = 0; n < alerts; n += 1) {
    const service = `${name}-${n}`
    const body = JSON.stringify({ name: 'Bench', service, environment: service, status: 'firing', key: service })
    const began = performance.now()
    const response = await fetch(`${url}/webhooks/generic`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    if (response.status !== 202) throw new Error(`the alert was answered ${response.status}`)
    await cardOf(person, service, began + CARD_WITHIN_MS)
    samples.push(performance.now() - began)
    await pause(BETWEEN_ALERTS_MS)
  }
  return samples
}

async function cardOf(person: PersonAt, service: string, end: number): Promise<void> {
  for (;;) {
    const { items } = await person.get(`/api/v1/incidents?service=${service}&limit=1`, listOf(incidentSchema))
    if ((items[0]?.cards.length ?? 0) > 0) return
    if (performance.now() > end) throw new Error(`no card of ${service} within ${CARD_WITHIN_MS} ms`)
    await pause(2)
  }
}
