import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { expect, type TestContext, test } from 'vitest'
import { auditViolations, runEnded } from '../support/live/drill.ts'
import { install, type Product } from '../support/live/product.ts'
import { until } from '../support/live/until.ts'
import { startChromium } from '../support/peers.ts'

const MINUTES = 60_000
/** Long enough for a busy machine: what does not come by then does not come. */
const COMES_WITHIN_MS = 2 * MINUTES
const DESK = { width: 1_240, height: 900 }
const PHONE = { width: 375, height: 812 }

/** A person's browser at the console of a real product, which complains about nothing. */
async function openConsole(context: TestContext): Promise<{ product: Product; page: Page }> {
  const chromium = await startChromium()
  if ('missing' in chromium) return context.skip(chromium.missing)
  context.onTestFinished(chromium.stop)
  const product = await install(context).start()
  const page = await chromium.browser.newPage({ viewport: DESK, locale: 'en-GB', timezoneId: 'UTC' })
  page.setDefaultTimeout(COMES_WITHIN_MS)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  context.onTestFinished(() => expect(complaints).toEqual([]))
  await page.goto(product.url)
  return { product, page }
}

/** Pictures of what a person saw, at a desk and on a phone, in the folder that SCREENSHOTS names. */
async function look(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  for (const [where, viewport] of [['phone', PHONE] as const, ['desk', DESK] as const]) {
    await page.setViewportSize(viewport)
    await page.screenshot({ path: join(folder, `${name}-${where}.png`), fullPage: true })
  }
}

const approval = (page: Page): Locator => page.getByRole('article', { name: 'Approval' }).last()
const press = async (page: Page, name: string): Promise<void> => await page.getByRole('button', { name, exact: true }).click()

async function startDrill(page: Page, title: string): Promise<string> {
  await page.getByRole('link', { name: 'Incidents', exact: true }).click()
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/drills') && response.request().method() === 'POST')
  await page.getByRole('button', { name: `Start the drill ${title}` }).click()
  const { run } = (await (await answered).json()) as { run: string }
  await page.getByRole('article', { name: 'Incident' }).waitFor()
  await approval(page).getByRole('button', { name: 'Approve' }).waitFor()
  return run
}

/** Whoever sits at the page becomes this person. */
async function be(page: Page, name: string): Promise<void> {
  const menu = page.locator('.who summary')
  if ((await menu.count()) > 0) await menu.click()
  await page.getByRole('button', { name: new RegExp(`^(Be )?${name}\\b`) }).click()
  await page.locator('.who summary', { hasText: name }).waitFor()
}

/** The words of the card as a person sees them, in one line. */
async function wordsOf(card: Locator): Promise<string> {
  return (await card.innerText()).replace(/\s+/g, ' ')
}

test(
  'a person at the console: sees, is refused as the viewer, approves, sees it verified',
  async (context) => {
    const { product, page } = await openConsole(context)
    await page.getByText('Nothing is wrong right now.').waitFor()
    await look(page, '1-home')
    await be(page, 'Alice')
    const run = await startDrill(page, 'A release of payments that fails every charge')
    const words = await wordsOf(approval(page))
    for (const needed of [
      'Roll back payments from v42 to v41',
      '0 of 1 approved',
      'errors of payments',
      'undo',
      'Alice',
      'Carol',
      'Digest',
      'drill',
    ])
      expect(words).toContain(needed)
    await look(page, '2-card')

    await be(page, 'Bob')
    await approval(page).getByRole('button', { name: 'Approve' }).click()
    const refusal = approval(page).getByRole('alert')
    await refusal.waitFor()
    await refusal.getByText('Alice, Carol').waitFor()
    expect(await refusal.innerText()).toContain('You do not hold the role for this.')
    await look(page, '3-refused')

    await be(page, 'Alice')
    await approval(page).getByRole('button', { name: 'Approve' }).click()
    await approval(page)
      .getByRole('heading', { name: /^(Approved|Running|Done, verifying)/ })
      .waitFor()
    await look(page, '4-approved')
    await approval(page)
      .getByRole('heading', { name: /^Verified/ })
      .waitFor()
    await page.locator('.heading .pill', { hasText: /^resolved$/i }).waitFor()
    expect(await wordsOf(approval(page))).toMatch(/Approved by Alice at .*What telemetry showed.*held/)
    await look(page, '5-verified')
    expect(await runEnded(product.client, run)).toMatchObject({ state: 'passed' })

    await page.getByRole('link', { name: 'Audit', exact: true }).click()
    await press(page, 'Verify')
    await page.getByText('nothing ran without its clicks').waitFor()
    await look(page, '6-audit')
    expect(await auditViolations(product.client)).toEqual([])
  },
  8 * MINUTES,
)

test(
  'what did not help is undone in sight, with time to keep it',
  async (context) => {
    const { product, page } = await openConsole(context)
    await be(page, 'Carol')
    const run = await startDrill(page, 'A failure of checkout that its latest release did not cause')
    await approval(page).getByRole('button', { name: 'Approve' }).click()
    await approval(page).getByRole('button', { name: 'Keep', exact: true }).waitFor()
    expect(await wordsOf(approval(page))).toMatch(/Did not help, undo is due.*starts by itself/)
    await look(page, '7-keep')
    await approval(page)
      .getByRole('heading', { name: /^Undone/ })
      .waitFor()
    await look(page, '8-undone')
    expect(await runEnded(product.client, run)).toMatchObject({ state: 'passed' })
    expect(await auditViolations(product.client)).toEqual([])
  },
  8 * MINUTES,
)

test(
  'one click stops everything, a vote is refused then, and two people start it again',
  async (context) => {
    const { product, page } = await openConsole(context)
    await be(page, 'Alice')
    const run = await startDrill(page, 'A release of payments that fails every charge')
    await press(page, 'Stop everything')
    await page.getByText('Stopped: nothing runs any more.').waitFor()
    await approval(page).getByRole('button', { name: 'Approve' }).click()
    const refusal = approval(page).getByRole('alert')
    await refusal.waitFor()
    expect(await refusal.innerText()).toContain('Steadyhand is stopped')
    await look(page, '9-stopped')

    const told = async (person: string): Promise<string> =>
      (await (await product.as(person)).post('/api/v1/commands', { text: 'start' })).json.text
    expect(await told('alice')).toContain('one more person')
    expect(await told('alice')).toContain('one more person')
    expect(await told('carol')).toContain('Started')
    await until('the page acts again', async () => (await page.getByText('Acts after a click').count()) > 0, 60)
    await approval(page).getByRole('button', { name: 'Approve' }).click()
    await approval(page)
      .getByRole('heading', { name: /^Verified/ })
      .waitFor()
    expect(await runEnded(product.client, run)).toMatchObject({ state: 'passed' })
    expect(await auditViolations(product.client)).toEqual([])
  },
  8 * MINUTES,
)
