import { App, HTTPReceiver, LogLevel } from '@slack/bolt'
import { onTestFinished } from 'vitest'
import { freePort } from '../edge/free-port.ts'
import { type SlackServer, type SlackServerOptions, startSlackServer } from './server.ts'

/** A server that ends with the test. */
export async function startSlack(options: SlackServerOptions = {}): Promise<SlackServer> {
  const slack = await startSlackServer(options)
  onTestFinished(() => slack.close())
  return slack
}

/** An app of Bolt's own, on HTTP; it ends with the test. */
export async function startHttpApp(slack: SlackServer): Promise<App> {
  const port = await freePort()
  const receiver = new HTTPReceiver({ signingSecret: slack.signingSecret, endpoints: '/slack/events', port, logLevel: LogLevel.ERROR })
  const app = new App({ token: slack.botToken, receiver, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl: slack.apiUrl } })
  await app.start(port)
  onTestFinished(async () => void (await app.stop()))
  slack.sendTo(`http://127.0.0.1:${port}/slack/events`)
  return app
}

/** The same in Socket Mode, which asks for no address. */
export async function startSocketApp(slack: SlackServer): Promise<App> {
  const { botToken: token, appToken } = slack
  const app = new App({ token, appToken, socketMode: true, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl: slack.apiUrl } })
  onTestFinished(async () => void (await app.stop()))
  await app.start()
  return app
}
