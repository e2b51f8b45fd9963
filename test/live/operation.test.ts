import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Client } from '../support/edge/client.ts'
import { freePort } from '../support/edge/free-port.ts'
import { until } from '../support/live/until.ts'
import { temporaryFolder } from '../support/peer-process.ts'
import { startCollector } from '../support/traces/collector.ts'

const CLI = join(import.meta.dirname, '..', '..', 'bot', 'cli.ts')
/** As in the image: nobody, to whom no file belongs. */
const NOBODY = 65_532
const MINUTES = 60_000
const [FIRST, SECOND] = ['1'.repeat(40), '2'.repeat(40)]

test(
  'runs as a user who can write on nothing but its data, as in the image, and is heard of outside',
  async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root can start a process as another user')
    const { path: folder, remove } = temporaryFolder()
    context.onTestFinished(remove)
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'data'))
    chownSync(join(folder, 'data'), NOBODY, NOBODY)
    const called: string[] = []
    const outside = createServer((request, response) => {
      called.push(`${request.method} ${request.url}`)
      response.end()
    })
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve))
    context.onTestFinished(() => void outside.close())
    writeFileSync(join(folder, 'address'), `http://127.0.0.1:${(outside.address() as AddressInfo).port}/ping/secret\n`)
    writeFileSync(
      join(folder, 'steadyhand.yaml'),
      'local: { enabled: false }\nheartbeats: { expected: [{ name: here, alert: Watchdog }] }\n',
    )
    writeFileSync(join(folder, 'token'), FIRST)
    const collector = await startCollector()
    context.onTestFinished(collector.close)
    const [port, healthPort] = [await freePort(), await freePort()]
    const env = {
      HOME: '/nonexistent',
      TMPDIR: '/nonexistent',
      PORT: String(port),
      HEALTH_PORT: String(healthPort),
      STEADYHAND_DATA_DIR: join(folder, 'data'),
      STEADYHAND_HEARTBEAT_URL_FILE: join(folder, 'address'),
      STEADYHAND_WEBHOOK_TOKEN_FILE: join(folder, 'token'),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    }
    const child = spawn(process.execPath, [CLI, 'start'], { cwd: folder, env, uid: NOBODY, gid: NOBODY, stdio: ['ignore', 'pipe', 'pipe'] })
    context.onTestFinished(() => void child.kill('SIGKILL'))
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk
      })
    const probe = new Client(`http://127.0.0.1:${healthPort}`)
    const isReady = async (): Promise<boolean> => (await probe.get('/readyz').catch(() => null))?.status === 200
    await until('it is ready', isReady, 90, () => said)
    await until(
      'its heartbeat is heard',
      async () => called.length > 0,
      30,
      () => said,
    )
    expect(called[0]).toBe('GET /ping/secret')
    expect((await probe.get('/metrics')).text).toContain('steadyhand_acts 1')

    const client = new Client(`http://127.0.0.1:${port}`)
    const labels = { alertname: 'Watchdog', service: 'payments', severity: 'critical' }
    const body = {
      version: '4',
      status: 'firing',
      alerts: [{ status: 'firing', labels, annotations: {}, startsAt: '2026-03-01T10:00:00Z' }],
    }
    const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
    expect((await client.post('/webhooks/alertmanager', body, bearer(FIRST))).status).toBe(202)
    writeFileSync(join(folder, 'token'), SECOND)
    const real = { name: 'Real', service: 'payments', status: 'firing' }
    const isTaken = async (): Promise<boolean> => (await client.post('/webhooks/generic', real, bearer(SECOND))).status === 202
    await until('the new token is the one', isTaken, 30, () => said)
    expect((await client.post('/webhooks/generic', real, bearer(FIRST))).status).toBe(401)
    await until(
      'the real alert is an incident',
      async () => (await client.get('/api/v1/incidents')).json.items.length > 0,
      30,
      () => said,
    )
    expect((await client.get('/api/v1/incidents')).json.items.map(({ title }: { title: string }) => title)).toEqual(['payments: Real'])

    const names = (): string[] => [...new Set(collector.spans.map(({ name }) => name))]
    await until(
      'its work is traced',
      async () => names().includes('steadyhand.investigation'),
      60,
      () => `${said}\n${names()}`,
    )
    expect(names()).toEqual(expect.arrayContaining(['steadyhand.alert', 'steadyhand.job']))
    expect(collector.text()).not.toMatch(/Watchdog|payments/)

    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(said).not.toMatch(/EACCES|EROFS|EPERM|ping\/secret/)
  },
  4 * MINUTES,
)
