import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IntegrationDeps } from '../contract.ts'
import type { DesiredState } from './desired-state.ts'
import type { TaxRates } from './target-state.ts'

/** How long the rewrite of the rates takes that stops in the middle: the length of the blip. */
export const REWRITE_SECONDS = 6

const CONTENT: Record<TaxRates, string> = {
  good: `${JSON.stringify({ rates: { SE: 0.25, NL: 0.21, PT: 0.23 } }, null, 2)}\n`,
  truncated: '{\n  "rates": {',
  emptied: `${JSON.stringify({ rates: {} }, null, 2)}\n`,
}

/** The files that the shop's services read, as the desired state says they are. A rewrite that was cut off is completed after a while. */
export interface ShopData {
  start(): Promise<void>
  stop(): void
}

export function createShopData(deps: { dir: string; state: DesiredState; log: IntegrationDeps['log'] }): ShopData {
  const file = join(deps.dir, 'data', 'tax-rates.json')
  let written: TaxRates | null = null
  let rewrite: NodeJS.Timeout | null = null

  const complete = (): Promise<unknown> =>
    deps.state
      .update((state) => (state.taxRates === 'truncated' ? { ...state, taxRates: 'good' } : state))
      .catch((error: unknown) => deps.log.error({ error }, 'the rewrite of the tax rates could not be completed'))

  const apply = async (taxRates: TaxRates): Promise<void> => {
    if (taxRates === written) return
    await writeFile(`${file}.new`, CONTENT[taxRates])
    await rename(`${file}.new`, file)
    written = taxRates
    if (rewrite) clearTimeout(rewrite)
    rewrite = taxRates === 'truncated' ? setTimeout(complete, REWRITE_SECONDS * 1000) : null
  }
  deps.state.onChange((state) => apply(state.taxRates))
  return {
    async start() {
      await mkdir(join(deps.dir, 'data'), { recursive: true })
      await apply(deps.state.current().taxRates)
    },
    stop() {
      if (rewrite) clearTimeout(rewrite)
    },
  }
}
