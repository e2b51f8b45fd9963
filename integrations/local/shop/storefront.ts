import { setTimeout as pause } from 'node:timers/promises'
import { openSecureDoor } from './secure-door.ts'
import { type Route, RouteError, runService } from './service.ts'
import { createSlots } from './slots.ts'

/** Prices include no tax, and none of them is a whole number. */
const GOODS = [
  { sku: 'kettle', title: 'Kettle', price: 24.9 },
  { sku: 'teapot', title: 'Teapot', price: 18.35 },
  { sku: 'strainer', title: 'Strainer', price: 4.15 },
  { sku: 'cup', title: 'Cup', price: 7.45 },
]

/** v9 also says what goes well with each thing. */
const shelves = {
  v8: () => ({ goods: GOODS }),
  v9: () => ({ goods: GOODS.map((good, i) => ({ ...good, goesWith: GOODS[(i + 1) % GOODS.length]?.sku })) }),
}

/** The shelf is drawn at two places, each drawing taking this long: some forty-five pages a second for each process. */
const DRAWING_PLACES = 2
const DRAWING_MS = 44

const buy: Route = async ({ body, call }) => {
  const { sku, quantity, country } = body as { sku: string; quantity: number; country: string }
  const good = GOODS.find((candidate) => candidate.sku === sku)
  if (!good) throw new RouteError(404, `no such thing: ${sku}`)
  const order = await call('checkout', '/orders', { sku, quantity, country, price: good.price })
  if (order.status !== 201) throw new RouteError(502, `checkout answered ${order.status}`)
  return { status: 201, body: order.body as object }
}

runService(({ link, log }) => {
  openSecureDoor(link, log)
  const shelf = link.settings.version === 'v9' ? shelves.v9 : shelves.v8
  const places = createSlots(DRAWING_PLACES)
  const look: Route = async () => {
    await places.run(() => pause(DRAWING_MS))
    return { status: 200, body: shelf() }
  }
  return { 'GET /': look, 'POST /buy': buy }
})
