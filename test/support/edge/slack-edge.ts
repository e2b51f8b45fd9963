import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import type { ConfiguredPerson } from '../../../bot/config.ts'
import type { OpenDatabase } from '../../../storage/database.ts'
import type { Person } from '../slack/person.ts'
import { type SlackServer, type SlackServerOptions, startSlackServer } from '../slack/server.ts'
import type { Conversation, SlackMessage } from '../slack/world.ts'
import { type EdgeOptions, openEdge, type RunningEdge, waitFor } from './edge-harness.ts'
import { environmentOf, type Mode } from './slack-environment.ts'

/** Steadyhand in a workspace: Alice and Carol may approve, Bob may look on, Mallory is linked to nobody. */
export interface SlackScene {
  slack: SlackServer
  running: RunningEdge
  channel: Conversation
  /** The channels of teams, by name. */
  rooms: ReadonlyMap<string, Conversation>
  alice: Person
  carol: Person
  bob: Person
  mallory: Person
  /** Somebody of `cast`. @throws Error when there is none of that name */
  cast(name: string): Person
  /** The next process on the same database, with another channel for incidents or other teams. `meanwhile` happens while none runs. */
  restartIn(channel: Conversation, changed?: { teams?: Teams; meanwhile?: () => void }): Promise<RunningEdge>
  /** The one message that begins so, once it is there. */
  message(beginning: string | RegExp): Promise<SlackMessage>
  /** What a person alone was told, once it holds this. */
  told(person: Person, words: string | RegExp): Promise<SlackMessage>
  /** Waits until a message says this. */
  says(message: SlackMessage, words: string | RegExp): Promise<void>
}

export interface SceneOptions extends EdgeOptions {
  mode?: Mode
  server?: SlackServerOptions
  /** The one app that is listened to. */
  appId?: string
  teams?: Teams
  /** Who is linked, in place of Alice, Carol and Bob; whoever is named for the first time has an account made and is in the channel. */
  cast?: (slack: SlackServer, person: (name: string) => Person) => readonly ConfiguredPerson[]
}

/** Teams by the ids of channels that everybody of the scene is in, made for them. */
export type Teams = (channelNamed: (name: string) => string) => readonly Workspace[]

const SECONDS = 25

export async function openScene(
  database: OpenDatabase,
  { mode = 'HTTP', server = {}, appId, teams, cast, ...options }: SceneOptions = {},
): Promise<SlackScene> {
  const slack = await startSlackServer(server)
  const [alice, carol, bob, mallory] = [slack.person('alice'), slack.person('carol'), slack.person('bob'), slack.person('mallory')]
  const channel = slack.channel('incidents', [alice, carol, bob, mallory])
  const rooms = new Map<string, Conversation>()
  const roomNamed = (name: string): string => {
    const room = rooms.get(name) ?? slack.channel(name, [alice, carol, bob, mallory])
    rooms.set(name, room)
    return room.id
  }
  const known = new Map(Object.entries({ alice, carol, bob, mallory }))
  const named = (name: string): Person => {
    const person = known.get(name) ?? slack.person(name)
    known.set(name, person)
    channel.members.add(person.id)
    return person
  }
  const people = options.people ??
    cast?.(slack, named) ?? [
      linked('alice', 'Alice', 'approver', slack, alice),
      linked('carol', 'Carol', 'approver', slack, carol),
      linked('bob', 'Bob', 'viewer', slack, bob),
    ]
  const open = async (place: Conversation, divided: Teams | undefined, target: EdgeOptions['target']): Promise<RunningEdge> => {
    const environment = { ...environmentOf(slack, mode), STEADYHAND_CONFIG: settingsFile(place.id, appId), ...options.environment }
    const workspaces = divided ? { workspaces: divided(roomNamed) } : {}
    const opened = await openEdge(database, { ...options, ...workspaces, environment, people, ...(target ? { target } : {}) })
    if (mode === 'HTTP') slack.sendTo(`${opened.url}/slack/events`)
    else await waitFor(async () => (slack.sockets.count() > 0 ? true : null), SECONDS)
    return opened
  }
  const running = await open(channel, teams, options.target)
  let latest = running
  onTestFinished(async () => {
    await latest.close()
    await slack.close()
  })
  const find = (ask: () => SlackMessage | undefined): Promise<SlackMessage> => waitFor(async () => ask() ?? null, SECONDS)
  return {
    ...{ slack, running, channel, rooms, alice, carol, bob, mallory },
    cast(name) {
      const person = known.get(name)
      if (person === undefined) throw new Error(`nobody is called ${name}`)
      return person
    },
    async restartIn(place, changed = {}) {
      await latest.close()
      changed.meanwhile?.()
      latest = await open(place, changed.teams ?? teams, running.target)
      return latest
    },
    message: async (beginning) => await find(() => slack.posted(channel).find((each) => fits(each, beginning))),
    told: async (person, words) =>
      await find(() =>
        [channel, slack.directMessages(person)]
          .flatMap(({ messages }) => messages)
          .find((each) => (each.ephemeralFor === person.id || each.channel === slack.directMessages(person).id) && fits(each, words)),
      ),
    async says(message, words) {
      await waitFor(async () => (fits(message, words) ? true : null), SECONDS)
    },
  }
}

function settingsFile(channel: string, appId?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-slack-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'steadyhand.yaml')
  writeFileSync(path, `slack: { channel: ${channel}${appId === undefined ? '' : `, appId: ${appId}`} }\n`)
  return path
}

export function linked(
  id: string,
  name: string,
  role: ConfiguredPerson['roles'][number],
  slack: SlackServer,
  person: Pick<Person, 'id'>,
): ConfiguredPerson {
  return { id, name, roles: [role], environments: null, links: [{ surface: 'slack', tenant: slack.teamId, externalId: person.id }] }
}

/** Everything that is to be read on it. */
export function wordsOf(message: SlackMessage): string {
  return `${message.text} ${JSON.stringify(message.blocks)}`
}

function fits(message: SlackMessage, words: string | RegExp): boolean {
  return typeof words === 'string' ? wordsOf(message).includes(words) : words.test(wordsOf(message))
}
