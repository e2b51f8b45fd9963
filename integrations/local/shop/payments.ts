import { setTimeout as pause } from 'node:timers/promises'
import { type Route, runService } from './service.ts'

/** What the acquiring bank takes to answer, milliseconds; a little more every few charges. */
const BANK_MS = [8, 9, 8, 12, 9, 8, 20, 9]

/** v42 moved amounts to BigInt, and does not expect the fractions that checkout sends. */
const toMinorUnits = {
  v41: (amount: number) => String(Math.round(amount * 100)),
  v42: (amount: number) => String(BigInt(amount) * 100n),
}

runService(({ link }) => {
  const minorUnits = link.settings.version === 'v42' ? toMinorUnits.v42 : toMinorUnits.v41
  let charges = 0
  const charge: Route = async ({ body }) => {
    const { order, amount } = body as { order: string; amount: number }
    const minor = minorUnits(amount)
    await pause(BANK_MS[charges++ % BANK_MS.length])
    return { status: 201, body: { order, charged: minor } }
  }
  return { 'POST /charges': charge }
})
