import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { openScene, type SceneOptions, type SlackScene } from '../../support/edge/slack-edge.ts'
import { usableElements } from '../../support/slack/elements.ts'
import { type Json, jsons } from '../../support/slack/json.ts'
import { blockActions } from '../../support/slack/payloads.ts'
import { signatureOf } from '../../support/slack/signing.ts'

const LONG = { timeout: 25_000 }
/** Each test waits for several answers; on a loaded machine that takes longer. */
const PATIENCE_MS = 120_000
const FORM = 'application/x-www-form-urlencoded'

/** A press of Approve that would count, and was not made yet. */
async function ready(scene: SlackScene): Promise<Json> {
  const { slack, running, channel, alice } = scene
  await running.askSomething(60)
  const message = await scene.message('Approve?')
  const used = usableElements(message.blocks).find(({ label }) => label === 'Approve')?.used
  if (used === undefined) throw new Error('there is nothing to approve')
  return blockActions(slack.world, {
    user: alice.user,
    used,
    triggerId: '1.1',
    on: { message, channel, responseUrl: `${slack.apiUrl}none` },
  })
}

/** Bytes as they are, on a connection that ends with the test. */
function open(url: string, bytes: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(bytes)
  return socket
}

/** The status of whatever is answered to these header lines and this body. */
async function answered(url: string, lines: readonly string[], body: string): Promise<number> {
  const head = ['POST /slack/events HTTP/1.1', `Host: ${new URL(url).host}`, `Content-Type: ${FORM}`, 'Connection: close', ...lines]
  const socket = open(url, `${[...head, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
}

describeDatabases(
  'a click that Slack did not send just now',
  (store) => {
    const database = store.perTest()
    const count = async (query: ReturnType<typeof sql<{ n: number }>>): Promise<number> =>
      Number((await query.execute(database().db)).rows[0]?.n)
    const votes = () => count(sql`select count(*) as n from vote`)
    /** Presses that were stored; Slack also tells of what is posted meanwhile. */
    const kept = () =>
      count(sql`select count(*) as n from inbox where source = 'slack' and convert_from(body, 'UTF8') like '%block_actions%'`)
    const waiting = () => count(sql`select count(*) as n from inbox where source = 'slack' and state = 'received'`)
    /** What nothing was made of before, and one vote now. */
    const counts = async ({ slack }: SlackScene, click: Json): Promise<void> => {
      expect([await kept(), await votes()]).toEqual([0, 0])
      expect((await slack.interaction(click)).status).toBe(200)
      await expect.poll(votes, LONG).toBe(1)
    }
    const openReady = async (options: SceneOptions = {}): Promise<{ scene: SlackScene; click: Json; body: string }> => {
      const scene = await openScene(database(), { needed: 2, ...options })
      const click = await ready(scene)
      return { scene, click, body: scene.slack.encode('interaction', click).body }
    }

    test('is refused before it is read when it is not signed, or by somebody else, and nothing of it is kept', async () => {
      const { scene, click, body } = await openReady()
      const { slack } = scene
      for (let n = 0; n < 100; n += 1) {
        const guess = createHash('sha256').update(String(n)).digest('hex')
        const at = Math.floor((n * body.length) / 100)
        const changed = `${body.slice(0, at)}${body[at] === 'x' ? 'y' : 'x'}${body.slice(at + 1)}`
        for (const request of [
          { body, secret: `${slack.signingSecret}${n}` },
          { body, headers: { 'x-slack-signature': `v0=${guess}` } },
          { body: changed, signedBody: body },
          { body: guess, headers: { 'x-slack-signature': undefined } },
        ])
          expect((await slack.forge(request)).status).toBe(401)
      }
      await counts(scene, click)
    })

    test('is refused when it was signed more than five minutes ago or will be', async () => {
      const { scene, body } = await openReady()
      const now = Math.floor(Date.now() / 1_000)
      // The exact second is tried where the clock stands still. Here a minute may pass before what is ahead is looked at.
      for (const away of [-301, -3_600, -86_400, 360, 86_400])
        expect((await scene.slack.forge({ body, timestamp: now + away })).status).toBe(401)
      expect(await kept()).toBe(0)
      for (const away of [-200, 200]) expect((await scene.slack.forge({ body, timestamp: now + away })).status).toBe(200)
      expect(await kept()).toBe(1)
      await expect.poll(votes, LONG).toBe(1)
    })

    test('is refused when a header comes twice, or is written otherwise than Slack writes it', async () => {
      const { scene, click, body } = await openReady()
      const { slack, running } = scene
      const now = String(Math.floor(Date.now() / 1_000))
      const signed = (timestamp: string): string => signatureOf({ body, secret: slack.signingSecret, timestamp })
      const right = signed(now)
      const [time, signature] = [`X-Slack-Request-Timestamp: ${now}`, `X-Slack-Signature: ${right}`]
      const corpus: string[][] = [
        [time, signature, signature],
        [time, signature, `X-Slack-Signature: v0=${'0'.repeat(64)}`],
        [time, `X-Slack-Signature: v0=${'0'.repeat(64)}`, signature],
        [time, time, signature],
        [time, `X-Slack-Request-Timestamp: ${Number(now) - 1}`, signature],
        [time, `X-Slack-Signature: ${right},${right}`],
        [time, `X-Slack-Signature: ${right}, v1=${right.slice(3)}`],
        [time, `X-Slack-Signature: ${right.replace('v0=', 'v1=')}`],
        [time, `X-Slack-Signature: ${right.slice(3)}`],
        [time, `X-Slack-Signature: v0=${right.slice(3).toUpperCase()}`],
        [time, `X-Slack-Signature: ${right}\0`],
        [time, `X-Slack-Signature: ${right.slice(0, -1)}`],
        ...[`0${now}`, `+${now}`, `${now}.0`, `${now}000`, `0x${Number(now).toString(16)}`, `${now}e0`, `-${now}`, 'now', ''].map(
          (written) => [`X-Slack-Request-Timestamp: ${written}`, `X-Slack-Signature: ${signed(written)}`],
        ),
      ]
      for (const lines of corpus) expect([400, 401], lines.join(' ')).toContain(await answered(running.url, lines, body))
      await counts(scene, click)
    })

    test('is not read when it is too large, packed or slow, and holds up none that is not', async () => {
      const { scene, click, body } = await openReady()
      const { slack, running } = scene
      const packed = gzipSync(Buffer.alloc(20_000_000))
      const address = `${running.url}/slack/events`
      const headers = { 'content-type': FORM, 'content-encoding': 'gzip', 'x-slack-request-timestamp': '1', 'x-slack-signature': 'v0=' }
      expect((await fetch(address, { method: 'POST', headers, body: packed })).status).toBe(415)
      expect((await slack.forge({ body, headers: { 'content-encoding': 'gzip' } })).status).toBe(415)
      expect((await slack.forge({ body: `payload=${'x'.repeat(256 * 1024)}` })).status).toBe(413)
      const begun = `POST /slack/events HTTP/1.1\r\nHost: ${new URL(running.url).host}\r\nContent-Type: ${FORM}\r\nContent-Length: 100\r\n`
      for (let n = 0; n < 100; n += 1) open(running.url, n % 2 === 0 ? begun : `${begun}\r\npayload=`)
      await counts(scene, click)
    })

    test('is refused by every address that takes anything, when it bears neither a signature nor a token', async () => {
      const environment = { STEADYHAND_API_KEYS: 'k'.repeat(32), STEADYHAND_WEBHOOK_TOKEN: 't'.repeat(32) }
      const { slack, running, alice, channel } = await openScene(database(), { environment })
      const writing = running.edge.endpoints.filter(({ method }) => method !== 'get')
      expect(writing.filter(({ access }) => access === 'signed').map(({ path }) => path)).toEqual(['/slack/events'])
      const { payload } = await alice.command('/sre', 'help', channel)
      const { body } = slack.encode('command', payload)
      const stored = (): Promise<number> => count(sql`select count(*) as n from inbox`)
      const before = await stored()
      const answers = await Promise.all(
        writing.map(async ({ method, path, bodyType }) => {
          const type = bodyType === undefined ? { body: '{}', type: 'application/json' } : { body, type: FORM }
          const url = path.replaceAll(/\{\w+\}/g, 'x')
          const { status } = await running
            .client()
            .request(method.toUpperCase(), url, { body: type.body, headers: { 'content-type': type.type } })
          return [path, status] as const
        }),
      )
      const open = answers.filter(([, status]) => status !== 401).map(([path]) => path)
      // Where people sign in and out, who calls is not known yet: what they do there is checked by other means.
      expect(open.sort()).toEqual(['/api/v1/session', '/auth/backchannel-logout', '/auth/logout'])
      expect(answers.length).toBeGreaterThan(open.length + 5)
      expect(await stored()).toBe(before)
    })

    test('is the one vote that it was, however often it is sent again', async () => {
      const { scene, click, body } = await openReady()
      const { slack, running, alice, told } = scene
      const timestamp = Math.floor(Date.now() / 1_000)
      for (let n = 0; n < 50; n += 1) expect((await slack.forge({ body, timestamp: timestamp - n })).status).toBe(200)
      await told(alice, '1 of 2 approved so far')
      expect(await kept()).toBe(1)
      // Whoever can sign makes another press of it: it is the same person's all the same.
      const [action = {}] = jsons(click['actions'])
      for (let n = 1; n <= 5; n += 1) {
        const pressed = { ...click, trigger_id: `${n}.2`, actions: [{ ...action, action_ts: `${timestamp}.00000${n}` }] }
        expect((await slack.interaction(pressed)).status).toBe(200)
      }
      await expect.poll(waiting, LONG).toBe(0)
      expect([await kept(), await votes()]).toEqual([6, 1])
      expect((await running.agent.approvals({ state: 'pending', limit: 1 })).items).toHaveLength(1)
      expect(running.target.ledger).toEqual([])
    })
  },
  PATIENCE_MS,
)
