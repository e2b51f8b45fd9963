import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { describeDatabases } from '../../support/database.ts'
import { anAlert } from '../../support/edge/edge-harness.ts'
import { openScene } from '../../support/edge/slack-edge.ts'

/** Slack's own description of its Web API, the last that it published (2021). */
const DESCRIPTION = join(import.meta.dirname, '../../../../shared/data/vendor-specs/slack_web_openapi_v2.json.gz')
/** What Slack has added since. */
const NEWER_METHODS: readonly string[] = [
  ...['files.getUploadURLExternal', 'files.completeUploadExternal', 'apps.connections.open'],
  // Where an answer takes long.
  ...['chat.startStream', 'chat.appendStream', 'chat.stopStream'],
]
const NEWER_ARGUMENTS: readonly string[] = ['metadata', 'include_all_metadata']
const CALLED = [
  ...[
    'auth.test',
    'chat.getPermalink',
    'chat.postEphemeral',
    'chat.postMessage',
    'chat.update',
    'conversations.history',
    'conversations.info',
  ],
  ...['users.info', 'views.open', 'views.publish'],
]

const parameterSchema = z.object({ name: z.string(), in: z.string(), required: z.boolean().default(false) })
const descriptionSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ parameters: z.array(parameterSchema).default([]) }))),
})
type Parameter = z.infer<typeof parameterSchema>

describeDatabases('calls of the Web API', (store) => {
  const database = store.perTest()

  test('have the names and arguments that Slack describes, and all that it requires', async (context) => {
    if (!existsSync(DESCRIPTION)) return context.skip(`it needs Slack's description of its API (${DESCRIPTION})`)
    const described = readDescription()
    const { slack, running, channel, alice, told, message, says } = await openScene(database())
    slack.faults.next('chat.postMessage', { kind: 'lost' })
    await running.askSomething(60)
    const asked = await message('Approve?')
    await alice.openHome()
    await alice.command('/sre', 'status', channel)
    await told(alice, 'inc-1')
    await alice.click(asked, 'Deny')
    await expect.poll(() => alice.modal(), { timeout: 20_000 }).not.toBeNull()
    await alice.submit({ 'Why (everybody sees it)': 'no' })
    await says(asked, 'Denied')
    await running
      .client()
      .post('/webhooks/alertmanager', JSON.parse(JSON.stringify(anAlert()).replace('c0ffee', 'beef').replace('"payments"', '"elsewhere"')))
    const browser = await running.as('alice')
    const merged = async (): Promise<number> => (await browser.post('/api/v1/incidents/inc-2/merge', { into: 'inc-1' })).status
    await expect.poll(merged, { timeout: 20_000 }).toBe(200)
    await expect.poll(() => CALLED.filter((name) => !slack.calls.some(({ method }) => method === name)), { timeout: 20_000 }).toEqual([])

    const wrong = slack.calls
      .filter(({ method }) => !NEWER_METHODS.includes(method))
      .flatMap(({ method, args }) => objections(method, Object.keys(args), described.get(method)))
    expect([...new Set(wrong)]).toEqual([])
  })
})

function readDescription(): Map<string, readonly Parameter[]> {
  const { paths } = descriptionSchema.parse(JSON.parse(gunzipSync(readFileSync(DESCRIPTION)).toString()))
  return new Map(
    Object.entries(paths).map(([path, verbs]) => [path.slice(1), Object.values(verbs).flatMap(({ parameters }) => parameters)]),
  )
}

function objections(method: string, given: readonly string[], parameters: readonly Parameter[] | undefined): string[] {
  if (parameters === undefined) return [`there is no ${method}`]
  const known = [...parameters.map(({ name }) => name), ...NEWER_ARGUMENTS]
  // The token goes in a header.
  const required = parameters.filter((each) => each.required && each.name !== 'token').map(({ name }) => name)
  return [
    ...given.filter((name) => !known.includes(name)).map((name) => `${method} has no ${name}`),
    ...required.filter((name) => !given.includes(name)).map((name) => `${method} needs ${name}`),
  ]
}
