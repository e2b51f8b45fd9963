import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startChromium } from '../test/support/peers.ts'
import { startServer } from './loop/server-process.ts'
import { distribution, type Figure } from './report.ts'

const LOADS = 20
const UPDATES = 20
const SHOWN_WITHIN_MS = 10_000

/** The console as a browser shows it, over a server process of its own: the first paint of each page load, and how long after its row an incident is on the screen. */
export async function run(): Promise<readonly Figure[]> {
  const chromium = await startChromium()
  if ('missing' in chromium) throw new Error(`${chromium.missing} is not on this machine`)
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const server = await startServer(dataDir)
  try {
    return [
      distribution('console first contentful paint', 'ms', await firstPaints(chromium.browser, server.url)),
      distribution('incident opened → shown', 'ms', await updates(chromium.browser, server.url)),
    ]
  } finally {
    await server.stop()
    await chromium.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Each load has a cache of its own, as for a person who comes for the first time. */
async function firstPaints(browser: Browser, url: string): Promise<number[]> {
  const samples: number[] = []
  for (let load = 0; load < LOADS; load += 1) {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(url)
    await page.locator('.row, .empty').first().waitFor()
    samples.push(Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")))
    await context.close()
  }
  return samples
}

/** From the moment that the incident's row bears to the moment at which the open page holds its title. Both are read from the clock of this machine. */
async function updates(browser: Browser, url: string): Promise<number[]> {
  const page = await browser.newPage()
  await page.goto(url)
  await page.locator('.row, .empty').first().waitFor()
  const samples: number[] = []
  for (let number = 0; number < UPDATES; number += 1) {
    const service = `shown-${number}`
    const shown = shownAt(page, service)
    const body = JSON.stringify({ name: 'Bench', service, environment: service, status: 'firing', key: service })
    const response = await fetch(`${url}/webhooks/generic`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    if (response.status !== 202) throw new Error(`the alert was answered ${response.status}`)
    samples.push((await shown) - (await openedAt(page, service)))
  }
  await page.close()
  return samples
}

/** Milliseconds since 1970 at which the words stood on the page. */
async function shownAt(page: Page, words: string): Promise<number> {
  const watch = `new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('${words} was not shown')), ${SHOWN_WITHIN_MS})
    const look = () => document.body.textContent.includes('${words}') && resolve(Date.now())
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
    look()
  })`
  return Number(await page.evaluate(watch))
}

async function openedAt(page: Page, service: string): Promise<number> {
  return Number(
    await page.evaluate(
      `fetch('/api/v1/incidents?service=${service}').then((answer) => answer.json()).then(({ items }) => Date.parse(items[0].openedAt))`,
    ),
  )
}
