import { setTimeout as pause } from 'node:timers/promises'
import { type Route, RouteError, runService } from './service.ts'
import { createSlots } from './slots.ts'
import { createStockSnapshots } from './stock-snapshots.ts'

/** Seconds a thing is held for a customer; v13 is more generous. */
const HOLD_SECONDS: Readonly<Record<string, number>> = { v12: 30, v13: 60, v14: 60 }
const LINES = 100
/** v14 counts each thing's movements anew before it is held, one thing at a time: fewer holds a second than there are orders. */
const RECOUNT_MS = 140

runService(({ link }) => {
  const { version, heapLimitBytes } = link.settings
  const seconds = HOLD_SECONDS[version] ?? 30
  const snapshots = createStockSnapshots(heapLimitBytes)
  link.onLeak(snapshots.leak)
  const recounts = createSlots(1)
  let held = 0
  const hold: Route = async ({ body }) => {
    const { sku, quantity } = body as { sku: string; quantity: number }
    if (version === 'v14') await recounts.run(() => pause(RECOUNT_MS))
    const onHand = snapshots.onHand(`sku-${held++ % LINES}`)
    if (onHand < quantity) throw new RouteError(409, `${sku} is sold out`)
    return { status: 201, body: { hold: held, sku, seconds } }
  }
  return { 'POST /holds': hold }
})
