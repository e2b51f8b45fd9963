import { isJson, type Json, jsons } from '../../support/slack/json.ts'
import type { ForgedRequest, SlackServer } from '../../support/slack/server.ts'
import type { Random } from '../races/random.ts'

/** A vote as Slack would send it, and who else is there. */
export interface Genuine {
  /** Alice's press of Approve: with a valid signature it would count. */
  readonly click: Json
  /** Linked, and may only look on. */
  readonly viewer: string
  /** In the workspace and linked to nobody. */
  readonly unlinked: string
  /** Linked as an approver, and deactivated by Slack. */
  readonly deactivated: string
  readonly otherChannel: string
}

export interface Kind {
  readonly name: string
  /** Whether Slack's own signature is on it. */
  readonly signed: boolean
  readonly make: (click: Json, random: Random) => ForgedRequest
}

/** How far a timestamp may be off, in seconds. */
const WINDOW = 300

/** Every way in which somebody who is not Alice, or not here and now, might try to vote. */
export function forgeryKinds(slack: SlackServer, genuine: Genuine): Kind[] {
  const clock = (): number => Math.floor(slack.world.now().getTime() / 1_000)
  const sent = (payload: Json): ForgedRequest => slack.encode('interaction', payload)
  const unsigned = (name: string, change: (request: ForgedRequest, random: Random) => ForgedRequest): Kind => ({
    name,
    signed: false,
    make: (click, random) => change(sent(click), random),
  })
  const signed = (name: string, change: (click: Json, random: Random) => Json): Kind => ({
    name,
    signed: true,
    make: (click, random) => sent(change(click, random)),
  })
  const header = (name: string, value: string | undefined) => (request: ForgedRequest) => ({ ...request, headers: { [name]: value } })
  return [
    unsigned('another secret', (request, random) => ({ ...request, secret: `${slack.signingSecret}${random()}` })),
    unsigned('an empty secret', (request) => ({ ...request, secret: '' })),
    unsigned('stale', (request, random) => ({ ...request, timestamp: clock() - WINDOW - 60 - Math.floor(random() * 1e8) })),
    unsigned('from the future', (request, random) => ({ ...request, timestamp: clock() + WINDOW + 60 + Math.floor(random() * 1e8) })),
    unsigned('a timestamp that is no number', (request, random) => ({ ...request, timestamp: `${clock()}.${Math.floor(random() * 1e3)}` })),
    unsigned('another timestamp than the signed', header('x-slack-request-timestamp', String(clock() - 1))),
    unsigned('no signature', header('x-slack-signature', undefined)),
    unsigned('no timestamp', header('x-slack-request-timestamp', undefined)),
    unsigned('another version of signature', header('x-slack-signature', `v1=${'0'.repeat(64)}`)),
    unsigned('half a signature', header('x-slack-signature', 'v0=')),
    tampered(slack, genuine),
    signed('linked to nobody', (click) => by(click, genuine.unlinked)),
    signed('a viewer', (click) => by(click, genuine.viewer)),
    signed('deactivated', (click) => by(click, genuine.deactivated)),
    signed('the same account id of another workspace', (click) => ofTeam(click, 'T0ELSEWHERE')),
    signed('another message', (click, random) =>
      at(click, { message_ts: `${clock()}.${String(Math.floor(random() * 1e6)).padStart(6, '0')}` }),
    ),
    signed('another channel', (click) => at(click, { channel_id: genuine.otherChannel })),
    signed('another nonce', (click, random) => withValue(click, ([, ...rest]) => [word(random, 32), ...rest])),
    signed('another plan', (click, random) => withValue(click, ([nonce = '', , ...rest]) => [nonce, word(random, 64), ...rest])),
    signed('another request', (click, random) => withValue(click, ([nonce = '', digest = '']) => [nonce, digest, word(random, 36)])),
    signed('words for a value', (click, random) => withValue(click, () => ['approve', word(random, 20)])),
    signed('no action at all', (click) => ({ ...click, actions: [] })),
    signed('a form of a viewer', (click) =>
      by(
        asForm(click, (value) => value),
        genuine.viewer,
      ),
    ),
    signed('a form of another card', (click, random) => asForm(click, (value) => value.replace(/^\S+/, word(random, 32)))),
    signed('a form of nothing', (click, random) => ({ ...asForm(click, () => word(random, 40)) })),
  ]
}

/** Signed as a press by somebody who may not, and sent with Alice's name in it. */
function tampered(slack: SlackServer, { unlinked }: Genuine): Kind {
  return {
    name: 'tampered with',
    signed: false,
    make: (click) => {
      const request = slack.encode('interaction', click)
      const innocent = slack.encode('interaction', by(click, unlinked))
      return { ...request, signedBody: innocent.body }
    },
  }
}

/** As Slack would send the same press once more: at another moment, with another trigger. */
export function again(click: Json, count: number): Json {
  const [action = {}] = jsons(click['actions'])
  return { ...click, trigger_id: `${count}.${count}`, actions: [{ ...action, action_ts: `${1_800_000_000 + count}.000001` }] }
}

function by(payload: Json, user: string): Json {
  return { ...payload, user: { ...fieldOf(payload, 'user'), id: user } }
}

function ofTeam(payload: Json, team: string): Json {
  return { ...payload, user: { ...fieldOf(payload, 'user'), team_id: team }, team: { id: team, domain: 'elsewhere' } }
}

function at(payload: Json, place: Json): Json {
  const channel = typeof place['channel_id'] === 'string' ? { channel: { id: place['channel_id'] } } : {}
  return { ...payload, ...channel, container: { ...fieldOf(payload, 'container'), ...place } }
}

function withValue(payload: Json, change: (words: string[]) => string[]): Json {
  const [action = {}] = jsons(payload['actions'])
  return { ...payload, actions: [{ ...action, value: change(String(action['value']).split(' ')).join(' ') }] }
}

/** The same vote as the confirmation form that a card opens. */
function asForm(click: Json, change: (value: string) => string): Json {
  const [action = {}] = jsons(click['actions'])
  const { channel_id: channel, message_ts: message } = fieldOf(click, 'container')
  const carried = { channel, message, value: `approve ${change(String(action['value']))}` }
  const view = {
    id: `V${String(click['trigger_id'])}`,
    type: 'modal',
    callback_id: 'approve',
    private_metadata: JSON.stringify(carried),
    state: { values: {} },
  }
  const { actions: _actions, container: _container, message: _message, ...rest } = click
  return { ...rest, type: 'view_submission', view }
}

function fieldOf(payload: Json, field: string): Json {
  const value = payload[field]
  return isJson(value) ? value : {}
}

const HEX = '0123456789abcdef'

function word(random: Random, length: number): string {
  return Array.from({ length }, () => HEX[Math.floor(random() * HEX.length)]).join('')
}
