import type { RunningService } from './service.ts'
import { traceIdOf } from './trace-context.ts'

/** Twenty requests a second. */
const EVERY_MS = 50
/** When the shop is slow, customers wait rather than pile up. */
const MAX_IN_FLIGHT = 40
/** A large crowd: sixty more a second, who only look around, and of whom more wait. More would also be too many for the machine, which is another fault. */
const CROWD_EVERY_MS = 50
const CROWD_AT_ONCE = 3
const CROWD_MAX_IN_FLIGHT = 100

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

/** The people who shop, for as long as the process runs. */
export function startCustomers({ link, call, log }: RunningService): void {
  let visits = 0
  let inFlight = 0
  const visit = (wish: object | undefined, maxInFlight: number): void => {
    if (link.portsOf('storefront').length === 0 || inFlight >= maxInFlight) return
    inFlight++
    const traceId = traceIdOf('')
    call({ service: 'storefront', traceId, ...(wish ? { path: '/buy', body: wish } : { path: '/' }) })
      .catch((error: unknown) =>
        log('warn', `the shop did not answer: ${error instanceof Error ? error.message : String(error)}`, { traceId }),
      )
      .finally(() => inFlight--)
  }
  const isCrowded = (): boolean => link.conditions().crowd === 'large'
  setInterval(() => {
    const turn = visits++
    const wish = CYCLE[turn % CYCLE.length] === 'buy' ? WISHES[turn % WISHES.length] : undefined
    visit(wish, isCrowded() ? CROWD_MAX_IN_FLIGHT : MAX_IN_FLIGHT)
  }, EVERY_MS)
  setInterval(() => {
    if (isCrowded()) for (let i = 0; i < CROWD_AT_ONCE; i++) visit(undefined, CROWD_MAX_IN_FLIGHT)
  }, CROWD_EVERY_MS)
}
