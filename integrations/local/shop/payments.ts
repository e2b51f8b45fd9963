import { type Route, RouteError, runService, type ShopLog } from './service.ts'

/** v42 moved amounts to BigInt, and does not expect the fractions that checkout sends. */
const toMinorUnits = {
  v41: (amount: number) => String(Math.round(amount * 100)),
  v42: (amount: number) => String(BigInt(amount) * 100n),
}

/** v43 settles with the bank a second after it started, and expects a setting that nobody has made. */
const SETTLE_AFTER_MS = 1_000
function settle(settings: Readonly<Record<string, unknown>>, log: ShopLog): void {
  try {
    if (typeof settings['settlementAccount'] !== 'string') throw new Error('the setting settlementAccount is missing')
  } catch (error) {
    log('error', `payments cannot settle and ends: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  }
}

const { link, log } = runService((running) => {
  const minorUnits = running.link.settings.version === 'v42' ? toMinorUnits.v42 : toMinorUnits.v41
  const charge: Route = async ({ body, call }) => {
    const { order, amount } = body as { order: string; amount: number }
    const minor = minorUnits(amount)
    const authorisation = await call('bank', '/authorisations', { order, minor })
    if (authorisation.status !== 201) throw new RouteError(502, `the bank answered ${authorisation.status}`)
    return { status: 201, body: { order, charged: minor } }
  }
  return { 'POST /charges': charge }
})
if (link.settings.version === 'v43') setTimeout(() => settle({ ...link.settings }, log), SETTLE_AFTER_MS)
