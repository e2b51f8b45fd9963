import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { openScene, type SlackScene } from '../../support/edge/slack-edge.ts'

describeDatabases('Socket Mode', (store) => {
  const database = store.perTest()
  const opened = ({ slack }: SlackScene): number =>
    slack.calls.filter(({ method, outcome }) => method === 'apps.connections.open' && outcome === 'ok').length
  const answers = async (scene: SlackScene): Promise<void> => {
    const { channel, alice } = scene
    const before = channel.messages.length
    expect((await alice.command('/sre', 'status', channel)).status).toBe(200)
    await expect.poll(() => channel.messages.length, { timeout: 25_000 }).toBe(before + 1)
  }
  const connected = async ({ slack }: SlackScene): Promise<void> =>
    await expect.poll(() => slack.sockets.count(), { timeout: 25_000 }).toBe(1)

  test.each<[string, (scene: SlackScene) => void]>([
    ['asks for a new connection', ({ slack }) => slack.sockets.refresh()],
    ['cuts the connection', ({ slack }) => slack.sockets.drop()],
  ])('goes on when Slack %s', async (_name, end) => {
    const scene = await openScene(database(), { mode: 'Socket Mode' })
    await answers(scene)
    end(scene)
    await expect.poll(() => opened(scene), { timeout: 25_000 }).toBe(2)
    await connected(scene)
    await answers(scene)
    expect(scene.slack.violations).toEqual([])
  })

  test('leaves alone what is for another app, and says so in the log', async () => {
    const { alice, channel, running } = await openScene(database(), { mode: 'Socket Mode', appId: 'A0OTHER' })
    await alice.command('/sre', 'status', channel)
    expect(running.lines).toContainEqual({
      level: 'warn',
      object: { taken: 'foreign' },
      message: 'what Slack sent by Socket Mode was left alone',
    })
    expect(channel.messages).toEqual([])
  })

  test('comes back after an outage, also one that was there at the start', async () => {
    const scene = await openScene(database(), { mode: 'Socket Mode' })
    scene.slack.faults.down()
    await expect.poll(() => scene.slack.sockets.count(), { timeout: 25_000 }).toBe(0)
    await expect
      .poll(() => scene.slack.calls.filter(({ method }) => method === 'apps.connections.open').length, { timeout: 25_000 })
      .toBeGreaterThan(2)
    scene.slack.faults.up()
    await connected(scene)
    await answers(scene)
  })
})
