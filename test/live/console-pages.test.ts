import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { IncidentView } from '../../agent/agent.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import { anApproval, anIncident, anIncidentView, approvalsInEveryState, at, incidentsInEveryState } from '../support/builders.ts'
import { type Harness, type Scene, startConsole, stoppedBy } from '../support/console-harness.ts'
import { replaceStrings } from '../support/hostile-text.ts'
import { startChromium } from '../support/peers.ts'

const PHONE = { width: 375, height: 812 }
const DESK = { width: 1_240, height: 900 }
const REQUEST = anApproval().id

let browser: Browser | null = null
let missing = ''
let stop = async (): Promise<void> => {}
let harness: Harness
let page: Page
/** What the page complained about: broken scripts, things the policy stopped. */
let complaints: string[] = []

beforeAll(async () => {
  const chromium = await startChromium()
  if ('missing' in chromium) missing = chromium.missing
  else ({ browser, stop } = chromium)
})
afterAll(async () => await stop())
beforeEach((context) => {
  if (!browser) context.skip(missing)
})

function sceneOf(view: IncidentView = anIncidentView()): Scene {
  return {
    views: [view],
    mode: { mode: 'act', reasons: [] },
    now: at(30),
    refuse: null,
    report: { ok: true, violations: [], entries: 42, head: 'ab'.repeat(32) },
  }
}

/** Opens the pages over a scene; everything is closed when the test ends. */
async function open(scene: Scene, hash: string, look: { viewport?: typeof PHONE; colorScheme?: 'light' | 'dark' } = {}): Promise<void> {
  if (!browser) throw new Error('no browser')
  harness = await startConsole(scene)
  const context = await browser.newContext({ viewport: DESK, timezoneId: 'UTC', locale: 'en-GB', ...look })
  onTestFinished(async () => {
    await context.close()
    await harness.close()
  })
  page = await context.newPage()
  page.setDefaultTimeout(5_000)
  complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  await page.clock.install({ time: scene.now })
  const readAgain = readTwice(page)
  await page.goto(`${harness.url}/${hash}`)
  await page.locator('.row, .card, .entries, .empty, .refused').first().waitFor()
  await readAgain()
}

/** What the browser does with a tab that somebody leaves, or comes back to. */
async function look(tab: Page, state: 'hidden' | 'visible'): Promise<void> {
  await tab.evaluate(
    `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
  )
}

/** Waits for what the pages read a second time once their stream is open: until then they may still draw themselves anew. */
function readTwice(watched: Page): () => Promise<void> {
  let [modes, unanswered] = [0, 0]
  const isRead = (request: Request) => request.url().includes('/api/v1/') && !request.url().endsWith('/events')
  watched.on('request', (request) => {
    if (isRead(request)) unanswered += 1
    if (request.url().endsWith('/mode')) modes += 1
  })
  const answered = (request: Request): void => {
    if (isRead(request)) unanswered -= 1
  }
  watched.on('requestfinished', answered)
  watched.on('requestfailed', answered)
  return async () => await expect.poll(() => modes >= 2 && unanswered === 0).toBe(true)
}

async function signIn(name: string): Promise<void> {
  await page
    .locator('.sign-in')
    .getByRole('button', { name: new RegExp(`^${name}`) })
    .click()
  await page.locator('.who summary', { hasText: name }).waitFor()
}

async function signOut(): Promise<void> {
  await page.locator('.who summary').click()
  await press('Sign out')
}

/** Evaluates an expression among the page's own globals. */
const inPage = (expression: string): Promise<unknown> => page.evaluate(expression)
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What keeps people from using the page, by axe's own rules, with the place where it is. */
const SERIOUS = `axe.run().then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .flatMap(({ id, nodes }) => nodes.map(({ html, any }) => id + ' ' + html + ' ' + any.map(({ message }) => message).join(' '))))`
const OVERFLOW = 'document.documentElement.scrollWidth - innerWidth'
const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
const votes = () => harness.calls.filter(({ path }) => path.endsWith('/votes'))

/** The world moves on, and the pages are told. */
function move(approval: Approval, state: IncidentView['incident']['state']): void {
  const [view] = harness.scene.views
  if (view) harness.scene.views[0] = { ...view, incident: { ...view.incident, state }, approvals: [approval] }
  harness.tell({ type: 'approval-changed', incidentId: 'INC-42', requestId: approval.id })
}

function stateOf(name: string): Approval {
  const state = approvalsInEveryState()[name]
  if (!state) throw new Error(`no such sample: ${name}`)
  return state.approval
}

describe('deciding', () => {
  test('an approver approves exactly the plan on the screen, and sees it verified', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await signIn('Alice')
    await press('Approve')
    await page.getByText('Your approval is recorded.').waitFor()
    expect(votes().map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: `/api/v1/approvals/${REQUEST}/votes`,
        body: { decision: 'approve', digest: anApproval().digest, confirm: null, reason: null },
      },
    ])
    move(stateOf('verifying'), 'verifying')
    await page.getByRole('heading', { name: 'Done, verifying: Roll back payments from v42 to v41' }).waitFor()
    move(stateOf('verified'), 'resolved')
    await page.getByRole('heading', { name: 'Verified: Roll back payments from v42 to v41' }).waitFor()
    await page.getByText('held (last 0.2 %, 9 samples)').waitFor()
    await expect.poll(() => page.getByRole('button', { name: 'Approve', exact: true }).count()).toBe(0)
    await expect.poll(() => page.getByRole('status').filter({ hasText: 'INC-42 is now resolved.' }).count()).toBe(1)
    expect(complaints).toEqual([])
  })

  test('a viewer is refused in words beside the button, and told who may', async () => {
    await open(sceneOf(), '#/incidents/INC-42', { viewport: PHONE })
    await signIn('Bob')
    await press('Approve')
    const refused = page.getByRole('alert').filter({ hasText: 'You do not hold the role for this.' })
    await refused.getByText('Who may: Alice, Carol.').waitFor()
    const [button, words] = [await page.getByRole('button', { name: 'Approve', exact: true }).boundingBox(), await refused.boundingBox()]
    expect((words?.y ?? 0) - (button?.y ?? 0)).toBeLessThan(120)
  })

  test('nobody in particular is asked who they are, right there', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await press('Approve')
    const card = page.getByRole('article', { name: 'Approval' })
    await card.getByText('needs a person who is signed in').waitFor()
    await card.getByRole('button', { name: 'Be Carol (approver)' }).click()
    await press('Approve')
    await page.getByText('Your approval is recorded.').waitFor()
  })

  test('a denial asks for a reason, and may be taken back before it is sent', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await signIn('Carol')
    await press('Deny')
    await press('Back')
    expect(votes()).toEqual([])
    await press('Deny')
    await page.getByLabel('Why not?').fill('payments is being migrated')
    await page.keyboard.press('Enter')
    await page.getByText('Your denial is recorded; nothing will run.').waitFor()
    expect(votes()[0]?.body).toMatchObject({ decision: 'deny', reason: 'payments is being migrated' })
  })

  test('a plan that asks for it is approved by typing its text', async () => {
    await open(sceneOf(anIncidentView({ approvals: [stateOf('asking-two')] })), '#/incidents/INC-42')
    await signIn('Carol')
    await press('Approve')
    await page.getByLabel('Type payments to approve it.').fill('payment')
    await press('Approve')
    await page.getByText('needs the confirmation text typed exactly as shown').waitFor()
    await page.getByLabel('Type payments to approve it.').fill('payments')
    await press('Approve')
    await page.getByText('Your approval is recorded.').waitFor()
    expect(votes().map(({ body }) => (body as { confirm: string }).confirm)).toEqual(['payment', 'payments'])
  })

  test.each([
    ['expired', 'The time to decide is over; nothing was run.'],
    ['self-approval', 'You asked for this action, so somebody else has to approve it.'],
    ['kill-switch', 'Steadyhand is stopped: nothing runs until it is started again.'],
  ] as const)('the refusal %s is shown in words', async (code, words) => {
    await open({ ...sceneOf(), refuse: code }, '#/incidents/INC-42')
    await signIn('Alice')
    await press('Approve')
    await page.getByRole('alert').filter({ hasText: words }).waitFor()
  })

  test('a click that got no answer is sent again as the same click', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await signIn('Alice')
    const keys: (string | undefined)[] = []
    await page.route('**/votes', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      await (keys.length === 1 ? route.abort() : route.continue())
    })
    await press('Approve')
    await page.getByRole('alert').filter({ hasText: 'Steadyhand does not answer.' }).waitFor()
    await press('Approve')
    await page.getByText('Your approval is recorded.').waitFor()
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(keys[1]).toBe(keys[0])
  })

  test('a failed change can be kept, an ended request checked again', async () => {
    await open({ ...sceneOf(anIncidentView({ approvals: [stateOf('undo-waiting')] })), now: at(60) }, '#/incidents/INC-42')
    await signIn('Alice')
    await press('Keep')
    await page.getByText('It is kept as it is; the undo will not run.').waitFor()
    move(stateOf('aborted'), 'observing')
    await press('Check again')
    await page.getByText('The target was looked at again').waitFor()
    expect(harness.calls.map(({ path }) => path).filter((path) => path.includes(REQUEST))).toEqual([
      `/api/v1/approvals/${REQUEST}/keep`,
      `/api/v1/approvals/${REQUEST}/check-again`,
    ])
  })
})

describe('staying live', () => {
  test('an update changes only what changed: focus, scrolling and half-typed text stay', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    const box = page.getByLabel('Question or command')
    await box.fill('half a questi')
    await page.getByText('What is known').evaluate((heading) => heading.closest('.card')?.setAttribute('data-seen', 'before'))
    expect(await inPage('scrollY')).toBeGreaterThan(0)
    move(stateOf('verifying'), 'verifying')
    await page.getByRole('heading', { name: /^Done, verifying/ }).waitFor()
    expect(await box.inputValue()).toBe('half a questi')
    expect(await box.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true)
    await expect.poll(() => page.locator('.card[data-seen=before]').count()).toBe(1)
  })

  test('the time left counts down', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    const left = page.locator('time.deadline')
    const seconds = async (): Promise<number> => {
      const [, minutes, rest] = /\((\d+):(\d\d) left\)/.exec((await left.textContent()) ?? '') ?? []
      return Number(minutes) * 60 + Number(rest)
    }
    const before = await seconds()
    expect(before).toBeLessThanOrEqual(570)
    await page.clock.runFor(65_000)
    await expect.poll(seconds).toBeLessThanOrEqual(before - 65)
    expect(await seconds()).toBeGreaterThan(before - 120)
  })

  test('what happened while the stream was broken is read when it is back', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    const [view] = harness.scene.views
    if (view) harness.scene.views[0] = { ...view, approvals: [stateOf('verified')] }
    harness.breakStreams()
    await page.getByRole('heading', { name: /^Verified/ }).waitFor()
  })

  test('a lost connection is said', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await harness.close()
    await page.getByRole('alert').filter({ hasText: 'The connection is interrupted. Whether Steadyhand acts now is not known.' }).waitFor()
    await page.getByText('State unknown').waitFor()
    await expect.poll(() => page.getByText(/observes only|Acts after a click/).count()).toBe(0)
  })

  test('what was read stays while nothing answers', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await signIn('Alice')
    await harness.close()
    await press('Approve')
    await page.getByRole('alert').filter({ hasText: 'Steadyhand does not answer.' }).first().waitFor()
    await page.getByText('The connection is interrupted.').waitFor()
    expect(await page.getByText('Suspected cause').count()).toBeGreaterThan(0)
  })
})

describe('finding the way', () => {
  test('nothing wrong is said in words, and a drill leads to its incident', async () => {
    await open({ ...sceneOf(), views: [] }, '')
    await page.getByText('Nothing is wrong right now. Start a drill to see the loop.').waitFor()
    harness.scene.views = [anIncidentView()]
    const start = page.getByRole('button', { name: 'Start the drill A release of payments that answers errors' })
    await start.click()
    await page.getByRole('alert').filter({ hasText: 'Sign in first: a drill breaks the local shop' }).waitFor()
    expect(harness.calls.filter(({ path }) => path === '/api/v1/drills')).toEqual([])
    await page.getByRole('button', { name: 'Be Bob (viewer)' }).click()
    await page.locator('.who summary', { hasText: 'Bob' }).waitFor()
    await start.click()
    await page.clock.runFor(1_500)
    await page.getByRole('article', { name: 'Incident' }).waitFor()
    expect(page.url()).toMatch(/#\/incidents\/INC-42$/)
    expect(harness.calls).toContainEqual({ method: 'POST', path: '/api/v1/drills', body: { name: 'bad-release' } })
  })

  test('a drill of somebody else is shown, and no other can be started', async () => {
    const run = {
      run: 'r1',
      name: 'blip',
      state: 'running',
      incident: null,
      approvals: [],
      startedAt: at(0),
      startedBy: 'carol',
      ended: null,
    }
    await open({ ...sceneOf(), running: run }, '')
    await page.getByText('The drill blip is running, started by Carol, since').waitFor()
    const starts = page.getByRole('button', { name: /^Start the drill/ })
    await expect.poll(() => starts.evaluateAll((all) => all.map((one) => one.hasAttribute('disabled')))).toEqual([true, true, true, true])
  })

  test('open incidents come before ended ones, and what waits for me is in the title', async () => {
    const ended = { ...anIncident({ id: 'INC-50' }), state: 'resolved' as const, endedAt: at(20) }
    await open({ ...sceneOf(), views: [{ ...anIncidentView(), incident: ended, approvals: [] }, anIncidentView()] }, '')
    await expect.poll(() => page.locator('section', { hasText: 'Open incidents (1)' }).locator('.row').count()).toBe(1)
    await expect
      .poll(() => page.locator('.row-more').allTextContents())
      .toEqual([expect.stringContaining('approved'), expect.stringContaining('INC-42'), expect.stringContaining('resolved · 0')])
    await expect.poll(() => page.title()).toBe('Steadyhand')
    await signIn('Alice')
    await page.getByRole('heading', { name: 'Waiting for you (1)' }).waitFor()
    await expect.poll(() => page.title()).toBe('(1) Steadyhand')
  })

  test('a citation opens the evidence it names', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await page.getByRole('link', { name: 'E3' }).first().click()
    await page.getByText('{service="payments"} level=error').waitFor({ state: 'visible' })
    expect(page.url()).toMatch(/#\/incidents\/INC-42\/E3$/)
    await page.getByRole('region', { name: 'Log lines' }).getByText('stored line of').waitFor()
    await page.locator('#evidence-E3 summary').click()
    await page.getByRole('link', { name: 'E3' }).first().click()
    await page.getByText('{service="payments"} level=error').waitFor({ state: 'visible' })
  })

  test('an incident that does not exist, and one that cannot be read', async () => {
    await open(sceneOf(), '#/incidents/INC-99')
    await page.getByText('There is no such incident.').waitFor()
    harness.scene.views = [{ ...anIncidentView(), incident: anIncident({ id: 'INC-99' }) }]
    await press('Try again')
    await page.getByRole('article', { name: 'Incident' }).waitFor()
  })

  test('the audit is verified by a button, and a violation is said plainly', async () => {
    await open(sceneOf(), '#/audit')
    await press('Verify')
    await page.getByText('All 42 entries hold, and nothing ran without its clicks (verified at').waitFor()
    harness.scene.report = { ok: false, violations: ['entry 7 does not match its hash'], entries: 42, head: 'cd'.repeat(32) }
    await press('Verify')
    await page.getByRole('alert').filter({ hasText: 'entry 7 does not match its hash' }).waitFor()
    await expect.poll(() => page.locator('.entries a').first().getAttribute('href')).toBe('#/incidents/INC-42')
  })

  test('the services, as a picture and in words, with what is wrong', async () => {
    await open(sceneOf(), '#/services')
    await expect.poll(() => page.locator('.graph svg .node').count()).toBe(4)
    await expect.poll(() => page.locator('.graph svg .node.bad text').allTextContents()).toEqual(['inventory', 'payments'])
    await page.getByText('0 of 1 ready · called by checkout').waitFor()
    await page.locator('.row-link').first().click()
    await page.getByRole('article', { name: 'Incident' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('the records, with drills when they are asked for', async () => {
    await open(sceneOf(), '#/records')
    await page.getByText('No incident in the last 30 days. 3 incidents of drills are left out').waitFor()
    await press('With drills')
    await page.getByText('in the middle of 3; on average 1 min 35 s, 90 % within 1 h 2 min').first().waitFor()
    await page.getByText('3 approved, in the middle 8 s after the card; 2 within 10 s of the card').waitFor()
    await press('7 days')
    await page.getByRole('button', { name: '7 days', exact: true, pressed: true }).waitFor()
    await page.getByText('No incident has ended yet.').waitFor()
    expect(complaints).toEqual([])
  })

  test('one click stops everything, and the page says so', async () => {
    await open(sceneOf(), '')
    await signIn('Alice')
    await press('Stop everything')
    await page.getByText('Steadyhand was stopped by Alice at 02:10:00').waitFor()
    await page.locator('.pill.bad').getByText('by Alice at 02:10:00').waitFor()
    await expect.poll(() => page.getByRole('button', { name: 'Stop everything' }).count()).toBe(0)
    expect(harness.calls).toContainEqual({ method: 'POST', path: '/api/v1/commands', body: { text: 'stop' } })
    await press('Start again')
    await page.getByText('You said start: it waits for one more person').waitFor()
    await signOut()
    await signIn('Carol')
    await page.getByText('Alice said start: the word of one more person with the role approver starts it at once.').waitFor()
    await press('Start again')
    await page.getByText('Acts after a click').waitFor()
    await page.getByRole('button', { name: 'Stop everything' }).waitFor()
  })

  test('a notice goes when what it speaks of is no longer so', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await signIn('Alice')
    await press('Stop everything')
    await page.getByText('nothing runs any more').waitFor()
    harness.scene.mode = { mode: 'act', reasons: [] }
    harness.tell({ type: 'mode-changed' })
    await page.getByText('Acts after a click').waitFor()
    await expect.poll(() => page.getByText('nothing runs any more').count()).toBe(0)
    await signOut()
    await signIn('Bob')
    await press('Approve')
    const refused = page.getByText('You do not hold the role for this.')
    await refused.waitFor()
    move(stateOf('verified'), 'resolved')
    await page.getByRole('heading', { name: /^Verified/ }).waitFor()
    await expect.poll(() => refused.count()).toBe(0)
  })

  test('a stop by somebody else is seen at once, also beside the buttons it affects', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    harness.scene.mode = stoppedBy('carol', [])
    harness.tell({ type: 'mode-changed' })
    const card = page.getByRole('article', { name: 'Approval' })
    await card.getByText('Stopped: Approve is refused until it is started again.').waitFor()
    await page.locator('.pill.bad').getByText('by Carol at 02:10:00').waitFor()
    harness.scene.mode = { mode: 'observe', reasons: ['nobody holds the approver role'] }
    harness.tell({ type: 'mode-changed' })
    await page.locator('.pill').getByText('Observes only').waitFor()
    await page.getByText('Steadyhand observes only').waitFor()
    await expect.poll(() => card.getByText('Stopped:').count()).toBe(0)
    await expect.poll(() => page.getByRole('button', { name: 'Start again' }).count()).toBe(0)
  })

  test('a question is answered on the page', async () => {
    await open(sceneOf(), '')
    await page.getByLabel('Question or command').fill('status')
    await press('Send')
    await page.getByText('You said: status').waitFor()
    await expect.poll(() => page.getByLabel('Question or command').inputValue()).toBe('')
  })

  test('everything can be reached and done by keyboard', async () => {
    await open(sceneOf(), '#/incidents/INC-42')
    await signIn('Alice')
    await page.locator('#main').focus()
    const reached: string[] = []
    for (let count = 0; count < 40 && !reached.includes('Approve'); count += 1) {
      await page.keyboard.press('Tab')
      reached.push(String(await inPage('document.activeElement.textContent')))
      expect(await inPage('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none')
    }
    expect(reached).toContain('Approve')
    await page.keyboard.press('Enter')
    await page.getByText('Your approval is recorded.').waitFor()
  })
})

describe('fitting and staying harmless', () => {
  const pages = ['#/', '#/incidents/INC-42', '#/services', '#/records', '#/audit']
  const looks = [PHONE, DESK].flatMap((viewport) => (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme })))

  test.each(looks)('nothing is cut off at $viewport.width px, $colorScheme', async (look) => {
    await open(sceneOf(), '', look)
    for (const hash of pages) {
      await page.goto(`${harness.url}/${hash}`)
      await page.locator('.row, .card, .entries, .empty').first().waitFor()
      expect(await inPage(OVERFLOW)).toBeLessThanOrEqual(0)
    }
    const small = await page
      .locator('button, input, summary, nav a, .brand, .back')
      .evaluateAll((all) =>
        all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 40).map((one) => one.outerHTML),
      )
    expect(small).toEqual([])
    await inPage('scrollTo(0, 400)')
    const stop = await page.getByRole('button', { name: 'Stop everything' }).boundingBox()
    expect(stop?.y).toBeLessThan(120)
    expect(stop?.y).toBeGreaterThanOrEqual(0)
    expect(complaints).toEqual([])
  })

  test.each([looks[0], looks[3]])('axe finds nothing serious at $viewport.width px, $colorScheme', async (look) => {
    await open(sceneOf(), '', look)
    for (const hash of pages) {
      await page.goto(`${harness.url}/${hash}`)
      await page.locator('.row, .card, .entries, .empty').first().waitFor()
      await page.evaluate(AXE)
      expect({ hash, found: await inPage(SERIOUS) }).toEqual({ hash, found: [] })
    }
  })

  test('hostile text in every field is only ever text', async () => {
    const attack = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>\u202e{{x}} https://evil.example'
    const keep =
      /\.(id|incidentId|state|status|level|class|comparator|trust|label|requestState|startsAt|createdAt|expiresAt|digest|schema|build|plan|name|rank|kind)$/
    const views = Object.values(incidentsInEveryState())
      .slice(0, 4)
      .map((view) => replaceStrings(view, (path, text) => (keep.test(path) || path.startsWith('.approvals') ? text : `${attack} ${text}`)))
      .map((view, index) => ({ ...view, incident: { ...view.incident, id: `INC-${index}` } }))
    const broken = { ok: false, violations: [attack], entries: 1, head: attack }
    await open({ ...sceneOf(), views, mode: { mode: 'observe', reasons: [attack] }, report: broken }, '', { viewport: PHONE })
    await page.getByText('<img src=x').first().waitFor()
    expect(await inPage(`document.body.textContent.includes('\\u202e')`)).toBe(false)
    for (const hash of ['#/incidents/INC-0', '#/incidents/INC-2', '#/incidents/INC-3/E3']) {
      await page.goto(`${harness.url}/${hash}`)
      await page.getByRole('article', { name: 'Incident' }).getByText('<img src=x').first().waitFor()
      expect(await page.locator('img, script:not([src]), a[href*=evil]').count()).toBe(0)
      expect(await inPage(`document.body.textContent.includes('\\u202e')`)).toBe(false)
      expect(await inPage(OVERFLOW)).toBeLessThanOrEqual(0)
    }
    expect(await inPage(`'owned' in window`)).toBe(false)
    expect(complaints).toEqual([])
  })

  test('no page of another origin is ever asked for anything', async () => {
    await open(sceneOf(), '')
    const origins = new Set<string>()
    page.on('request', (request) => origins.add(new URL(request.url()).origin))
    await page.goto(`${harness.url}/?again#/incidents/INC-42`)
    await page.getByRole('article', { name: 'Approval' }).waitFor()
    expect(origins).toEqual(new Set([harness.url]))
  })
})

describe('many tabs', () => {
  test('those that nobody looks at take no connection from the one where somebody decides, and are up to date once they are looked at', async () => {
    await open(sceneOf(), '#/')
    const first = page
    const others: Page[] = []
    for (let number = 0; number < 8; number += 1) {
      await look(others.at(-1) ?? first, 'hidden')
      const other = await first.context().newPage()
      other.setDefaultTimeout(5_000)
      await other.goto(`${harness.url}/#/incidents/${anIncident().id}`)
      await other.locator('.card').first().waitFor()
      others.push(other)
    }
    const read = first.waitForRequest((request) => request.url().includes('/api/v1/incidents'))
    await look(first, 'visible')
    await read
    expect(complaints).toEqual([])
  })
})
