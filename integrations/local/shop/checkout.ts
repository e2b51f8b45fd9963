import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConfirmations } from './confirmations.ts'
import { createJournal } from './journal.ts'
import { type Route, RouteError, runService } from './service.ts'

interface Order {
  sku: string
  quantity: number
  country: string
  price: number
}

/** Rates per country, rewritten by another program from time to time: read for each order, so that a new rate counts at once. */
async function taxRateFor(country: string, dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, 'tax-rates.json'), 'utf8')
  const { rates } = JSON.parse(text) as { rates: Record<string, number> }
  const rate = rates[country]
  if (rate === undefined) throw new Error(`no tax rate for ${country}`)
  return rate
}

/** v18 also grants points. */
const extras = {
  v17: (_total: number) => ({}),
  v18: (total: number) => ({ points: Math.floor(total) }),
}

/** Half a cent above: no total is a whole number of units, as with most real baskets. */
function totalOf({ price, quantity }: Order, rate: number): number {
  const cents = Math.round(price * quantity * (1 + rate) * 100)
  return (cents % 100 === 0 ? cents + 1 : cents) / 100
}

runService(({ link, log, gauge }) => {
  const { version, dataDir } = link.settings
  const extra = version === 'v18' ? extras.v18 : extras.v17
  const journal = createJournal(dataDir, link.settings.instance)
  const confirmations = createConfirmations(link, log)
  gauge('log_volume_used_ratio', journal.usedRatio)
  gauge('job_age_seconds', confirmations.batchAge)
  gauge('queue_depth', confirmations.waiting)
  let last = 0
  const order: Route = async ({ body, call }) => {
    const wanted = body as Order
    const total = totalOf(wanted, await taxRateFor(wanted.country, dataDir))
    if (link.conditions().journal === 'verbose') journal.trace({ at: new Date(), wanted, total })
    else journal.endTraces()
    journal.write({ at: new Date(), sku: wanted.sku, quantity: wanted.quantity, total })
    const hold = await call('inventory', '/holds', { sku: wanted.sku, quantity: wanted.quantity })
    if (hold.status !== 201) throw new RouteError(502, `inventory answered ${hold.status}`)
    const id = `${link.settings.instance}-${++last}`
    const charge = await call('payments', '/charges', { order: id, amount: total })
    if (charge.status !== 201) throw new RouteError(502, `payments answered ${charge.status}`)
    confirmations.add(id)
    return { status: 201, body: { order: id, total, ...extra(total) } }
  }
  return { 'POST /orders': order }
})
