import { runService } from './service.ts'
import { traceIdOf } from './trace-context.ts'

/** Twenty requests a second. */
const EVERY_MS = 50
/** When the shop is slow, customers wait rather than pile up. */
const MAX_IN_FLIGHT = 40

const WISHES = [
  { sku: 'kettle', quantity: 1, country: 'SE' },
  { sku: 'teapot', quantity: 1, country: 'NL' },
  { sku: 'strainer', quantity: 3, country: 'SE' },
  { sku: 'cup', quantity: 5, country: 'PT' },
  { sku: 'cup', quantity: 2, country: 'NL' },
  { sku: 'kettle', quantity: 1, country: 'PT' },
]
/** Of five requests three buy and two look around. */
const CYCLE = ['buy', 'look', 'buy', 'buy', 'look']

const { link, call, log } = runService(() => ({}))
let visits = 0
let inFlight = 0

setInterval(() => {
  if (link.portsOf('storefront').length === 0 || inFlight >= MAX_IN_FLIGHT) return
  const visit = visits++
  inFlight++
  const bought = CYCLE[visit % CYCLE.length] === 'buy' ? WISHES[visit % WISHES.length] : undefined
  const traceId = traceIdOf('')
  call({ service: 'storefront', traceId, ...(bought ? { path: '/buy', body: bought } : { path: '/' }) })
    .catch((error: unknown) =>
      log('warn', `the shop did not answer: ${error instanceof Error ? error.message : String(error)}`, { traceId }),
    )
    .finally(() => inFlight--)
}, EVERY_MS)
