import { givenUpListSchema, replay, replayedSchema, type ShownGivenUp, showGivenUp, WHAT_IS_GIVEN_UP } from '../api/given-up.ts'
import type { Settings } from '../config.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { onHost } from './on-host.ts'
import { withProgress } from './terminal.ts'

const PATH = '/api/v1/admin/given-up'
const ID = /^[1-9]\d{0,14}$/

type One = Pick<ShownGivenUp, 'what' | 'id'>
type Asked = { list: true } | { all: true } | { one: One; dismiss: boolean }

export const replayCommand: CliCommand = {
  name: 'replay',
  usage: 'replay [--list | --all | --delivery ID | --job ID [--dismiss] | --notice ID]',
  summary: 'lists what was given up after many attempts, and takes it up again',
  details: [
    'Without an option, or with --list, it changes nothing. --all takes up everything that may be.',
    'Deliveries, jobs and notices only: approvals, votes and executions are never repeated, and neither is what somebody said or pressed in a chat.',
    'Such a job is looked at and dismissed: --job ID --dismiss. Whoever did it was told that it came to nothing.',
    'Goes through the server that runs with these settings, as the user it runs as; when none runs, straight to the database.',
  ],
  options: {
    list: { type: 'boolean' },
    all: { type: 'boolean' },
    delivery: { type: 'string' },
    job: { type: 'string' },
    notice: { type: 'string' },
    dismiss: { type: 'boolean' },
  },
  async run({ options, terminal, settings, now }) {
    const asked = askedOf(options)
    const work = async (place: GivenUpPlace): Promise<string[]> => {
      if ('one' in asked) return [await takeUpOne(place, asked.one, asked.dismiss)]
      return 'all' in asked ? [await takeUpAll(place)] : listLines(await place.list())
    }
    const lines = await withProgress(terminal, 'looking', now, () => onPlace(settings(), work))
    for (const line of lines) terminal.say(line)
    return 0
  },
}

/** @throws CommandFailed when it is not exactly one thing */
function askedOf(options: Readonly<Record<string, string | boolean | undefined>>): Asked {
  const usage = `Usage: steadyhand ${replayCommand.usage}`
  const named = WHAT_IS_GIVEN_UP.flatMap((what) => (options[what] === undefined ? [] : [{ what, id: String(options[what]) }]))
  const ways = named.length + (options['list'] ? 1 : 0) + (options['all'] ? 1 : 0)
  if (ways > 1) throw new CommandFailed(`Say one of them at a time. ${usage}`, 2)
  const [one] = named
  const dismiss = options['dismiss'] === true
  if (dismiss && one?.what !== 'job') throw new CommandFailed(`--dismiss goes with --job ID. ${usage}`, 2)
  if (one === undefined) return options['all'] ? { all: true } : { list: true }
  if (!ID.test(one.id)) throw new CommandFailed(`--${one.what} is the number that "steadyhand replay" lists.`, 2)
  return { one: { what: one.what, id: Number(one.id) }, dismiss }
}

/** The same through the server and without it; for `--all` the database is opened once. */
interface GivenUpPlace {
  list(): ReturnType<typeof showGivenUp>
  act(one: One, dismiss?: boolean): ReturnType<typeof replay>
}

async function onPlace<T>(settings: Settings, work: (place: GivenUpPlace) => Promise<T>): Promise<T> {
  return await onHost(settings, {
    running: (server) =>
      work({
        list: () => server.call('GET', PATH, givenUpListSchema),
        act: (one, dismiss = false) => server.call('POST', PATH, replayedSchema, { ...one, dismiss }),
      }),
    stopped: ({ givenUp }) =>
      work({ list: () => showGivenUp(givenUp), act: (one, dismiss = false) => replay(givenUp, { ...one, dismiss }) }),
  })
}

/** @throws CommandFailed when it is not there, or may not be taken up */
async function takeUpOne(place: GivenUpPlace, one: One, dismiss: boolean): Promise<string> {
  const { result } = await place.act(one, dismiss)
  const name = `${one.what} ${one.id}`
  if (result === 'waits') return `The ${name} is tried again.`
  if (result === 'over') return `The ${name} needs nothing: the same work waits already.`
  if (result === 'dismissed') return `The ${name} is dismissed.`
  if (result === 'never')
    throw new CommandFailed(
      `The ${name} is what somebody said or pressed in a chat: it is never repeated for them. They can do it again; you can dismiss it: steadyhand replay --job ${one.id} --dismiss.`,
    )
  if (dismiss)
    throw new CommandFailed(`There is no ${name} to dismiss: only what is never taken up again is. "steadyhand replay" lists it.`)
  throw new CommandFailed(`There is no ${name} that was given up: "steadyhand replay" lists what was.`)
}

/** Each of them once, although one may be given up again meanwhile. */
async function takeUpAll(place: GivenUpPlace): Promise<string> {
  const tried = new Set<string>()
  let taken = 0
  for (;;) {
    const { items } = await place.list()
    const fresh = items.filter(({ what, id, again }) => again && !tried.has(`${what} ${id}`))
    if (fresh.length === 0) return `${taken === 0 ? 'Nothing is to be taken up again.' : `Tried again: ${taken}.`}${leftWords(items)}`
    for (const { what, id } of fresh) {
      tried.add(`${what} ${id}`)
      if ((await place.act({ what, id })).result !== 'unknown') taken += 1
    }
  }
}

function leftWords(items: readonly ShownGivenUp[]): string {
  const left = items.filter(({ again }) => !again).length
  return left === 0 ? '' : ` Left: ${left} of what people did in a chat; look at each, then --job ID --dismiss.`
}

function listLines({ items, more }: { items: readonly ShownGivenUp[]; more: boolean }): string[] {
  if (items.length === 0) return ['Nothing was given up.']
  const width = Math.max(...items.map(({ what, id }) => `${what} ${id}`.length))
  const kinds = Math.max(...items.map(({ kind }) => kind.length))
  const lines = items.map(
    ({ what, id, kind, at, why, again }) =>
      `${`${what} ${id}`.padEnd(width)}  ${kind.padEnd(kinds)}  ${at}  ${why}${again ? '' : ' (done in a chat: to be dismissed only)'}`,
  )
  return [
    ...lines,
    ...(more ? ['There is more: these are the first.'] : []),
    'Once its cause is mended: steadyhand replay --all, or one of them by its id.',
  ]
}
