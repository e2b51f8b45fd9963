import type { z } from 'zod'
import { Refusal } from '../../agent/domain/refusal.ts'
import { startAgain, startedSchema } from '../api/admin.ts'
import type { Settings } from '../config.ts'
import { readHostSecret } from '../host-secret.ts'
import { createApiClient, RefusedCall } from './api-client.ts'
import { withStoppedApp } from './audit.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { addressOf, runningServer } from './server-at.ts'
import { withProgress } from './terminal.ts'

export const adminStartAgainCommand: CliCommand = {
  name: 'admin start-again',
  usage: 'admin start-again [env:NAME | kind:ACTION]',
  summary: 'starts again, alone and on the host, what was stopped',
  details: [
    'Without a scope: what "stop" without a scope stopped. In chat and on the console it takes two people.',
    'Goes through the server that runs with these settings, as the user it runs as; when none runs, straight to the database.',
    'It is recorded as done by the host.',
  ],
  options: {},
  async run({ words, terminal, settings, now }) {
    if (words.length > 1) throw new CommandFailed('Name one scope at most: steadyhand admin start-again [env:NAME | kind:ACTION].', 2)
    const { scope } = await withProgress(terminal, 'starting again', now, () => startOnHost(settings(), words[0]))
    terminal.say(`Started${scope === '*' ? '' : ` (${scope})`}: approved actions run again.`)
    return 0
  },
}

async function startOnHost(settings: Settings, word: string | undefined): Promise<z.infer<typeof startedSchema>> {
  try {
    if ((await runningServer(settings)) === null) return await withStoppedApp(settings, ({ agent }) => startAgain(agent.control, word))
    const secret = hostSecretOf(settings)
    const path = `/api/v1/admin/start-again${word === undefined ? '' : `?scope=${encodeURIComponent(word)}`}`
    return await createApiClient(addressOf(settings), secret).call('POST', path, startedSchema)
  } catch (error) {
    if (error instanceof Refusal || error instanceof RefusedCall) throw new CommandFailed(error.message)
    throw error
  }
}

function hostSecretOf({ dataDir }: Settings): string {
  const words = `Run it as the user of the server, with the server's STEADYHAND_DATA_DIR (now ${dataDir}).`
  try {
    const secret = readHostSecret(dataDir)
    if (secret !== null) return secret
  } catch (cause) {
    throw new CommandFailed(`The server's secret cannot be read (${cause instanceof Error ? cause.message : String(cause)}). ${words}`)
  }
  throw new CommandFailed(`There is no secret of a server in ${dataDir}. ${words}`)
}
