import { type Route, RouteError, runService } from './service.ts'
import { createStockSnapshots } from './stock-snapshots.ts'

/** Seconds a thing is held for a customer; v13 is more generous. */
const HOLD_SECONDS = { v12: 30, v13: 60 }
const LINES = 100

runService(({ link }) => {
  const { version, heapLimitBytes } = link.settings
  const seconds = version === 'v13' ? HOLD_SECONDS.v13 : HOLD_SECONDS.v12
  const snapshots = createStockSnapshots(heapLimitBytes)
  link.onLeak(snapshots.leak)
  let held = 0
  const hold: Route = ({ body }) => {
    const { sku, quantity } = body as { sku: string; quantity: number }
    const onHand = snapshots.onHand(`sku-${held++ % LINES}`)
    if (onHand < quantity) throw new RouteError(409, `${sku} is sold out`)
    return { status: 201, body: { hold: held, sku, seconds } }
  }
  return { 'POST /holds': hold }
})
