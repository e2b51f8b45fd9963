import { createHash } from 'node:crypto'
import type { Drawn } from './drawing.ts'
import { type FindingDeps, findAgain, type Wanted } from './found-again.ts'
import { withoutNewest } from './newest-blocks.ts'
import type { Pace } from './pace.ts'
import type { PostingRows, StoredPosting } from './postings.ts'
import { type Message, SlackFailure, type SlackWeb } from './slack-api.ts'
import { createStreams, type Streams, type StreamsDeps } from './streams.ts'

export interface ShowingDeps {
  postings: PostingRows
  web: Pick<SlackWeb, 'post' | 'edit' | 'upload' | 'direct'> & FindingDeps['web'] & StreamsDeps['web']
  /** What it looks like; null where not everybody may read it who reads along in its place. */
  draw(posting: StoredPosting): Promise<Drawn | null>
  /** The channel that it belongs to by now; null for what stays where it is. */
  home(posting: StoredPosting): Promise<string | null>
  /** What should be shown beside a card from now on. */
  follow(also: 'chart' | 'ended', incidentId: string): Promise<void>
  pace: Pace
  now: () => Date
  log: StreamsDeps['log']
}

/** One posting at a time, with the calls that it takes. */
export interface Showing {
  /** @returns whether Slack was called. @throws SlackFailure */
  show(posting: StoredPosting): Promise<boolean>
  /** Whether it is an answer that this process shows as it comes about: how many steps Slack takes is no matter of other messages. */
  isStreamed(posting: StoredPosting): boolean
  /**
   * Where another channel is the one for it now, and this one takes nothing any more or may not show it: the card moves there, and with it whatever is
   * said in its thread. A request counts only where it was asked: it never moves.
   *
   * @returns whether it is shown there
   */
  moved(posting: StoredPosting): Promise<boolean>
}

type Shown = Exclude<Drawn, { type: 'nothing' }>
type ShownMessage = Extract<Drawn, { type: 'message' }>
type Parts = ShowingDeps & { streams: Streams }

/** Until another process has written down what it is posting. */
const UNCLEAR_MS = 2_000
/** How Slack begins the ids of accounts; those of channels begin otherwise. */
const ACCOUNT = /^[UW]/

export function createShowing(deps: ShowingDeps): Showing {
  const streams = createStreams(deps)
  const parts = { ...deps, streams }
  return {
    show: async (posting) => await show(posting, parts),
    isStreamed: ({ id }) => streams.isOpen(id),
    moved: async (posting) => await moved(posting, parts),
  }
}

async function show(posting: StoredPosting, parts: Parts): Promise<boolean> {
  const { postings, web, streams, pace, now } = parts
  if (ACCOUNT.test(posting.place)) {
    // Only Slack knows the channel of somebody's direct messages, and only there it is found again after a crash.
    await postings.move(posting.id, await web.direct(posting.place))
    return true
  }
  const drawn = await parts.draw(posting)
  if (drawn === null) {
    if (!(await moved(posting, parts))) await postings.bury(posting.id, 'not everybody may read it who reads along there')
    return false
  }
  if (drawn.type === 'nothing') {
    await postings.bury(posting.id, drawn.words)
    return false
  }
  const shows = drawn.type === 'file' ? { head: null, print: null } : { head: drawn.head, print: drawn.print }
  if (posting.message !== null && drawn.type === 'message') {
    const isSame = drawn.print === posting.print
    const quietUntil = (posting.shownAt?.getTime() ?? 0) + pace.quietMs
    if (!isSame && drawn.head === posting.head && quietUntil > now().getTime() && !streams.isOpen(posting.id)) {
      await postings.later(posting.id, new Date(quietUntil))
      return false
    }
    const message = isSame ? posting.message : await edit(posting, posting.message, drawn, parts)
    await postings.shown(posting.id, { message, wanted: posting.wanted, ...shows })
    await followed(posting, drawn, parts)
    return !isSame
  }
  const message = await postOnce(posting, drawn, parts)
  if (message === null) {
    await postings.later(posting.id, new Date(now().getTime() + UNCLEAR_MS))
    return true
  }
  await postings.shown(posting.id, { message, wanted: posting.wanted, ...shows })
  await followed(posting, drawn, parts)
  return true
}

/** @returns the message it is now: another one when somebody deleted the one that was there. */
async function edit(posting: StoredPosting, message: string, drawn: ShownMessage, parts: Parts): Promise<string> {
  try {
    await overwrite(posting, message, drawn, parts)
    return message
  } catch (error) {
    if (!(error instanceof SlackFailure) || error.code !== 'message_not_found') throw error
    return await post(posting, drawn, parts)
  }
}

async function overwrite(
  posting: StoredPosting,
  message: string,
  { message: said, live }: ShownMessage,
  { streams }: Parts,
): Promise<void> {
  const where = { channel: posting.place, message, name: nameOf(posting), live }
  await asTaken(said, async (taken) => await streams.show(posting.id, { ...taken, ...where }))
}

/** A workspace that refuses the newest kinds of blocks is shown the message without them: nothing is lost by a sign that nobody can press. */
async function asTaken<T>(message: Message, act: (message: Message) => Promise<T>): Promise<T> {
  try {
    return await act(message)
  } catch (error) {
    const blocks = withoutNewest(message.blocks)
    const isOfBlocks = error instanceof SlackFailure && error.code === 'invalid_blocks'
    if (!isOfBlocks || blocks.length === message.blocks.length) throw error
    return await act({ ...message, blocks })
  }
}

/** Where it goes, under which name, and whether it is a card that is a reply. */
async function wantedOf(posting: StoredPosting, drawn: Shown, postings: PostingRows): Promise<Wanted & { isReplyCard: boolean }> {
  const name = drawn.type === 'file' ? drawn.name : nameOf(posting)
  const thread = posting.thread ?? (await threadOf(posting, drawn, postings))
  const isReplyCard = posting.kind === 'incident' && thread !== null
  // The thread of a card is gone or closed: what belongs there stands by itself, so that nobody misses it. An answer stays where it was asked for.
  return { name, thread, isReplyCard, mayStandAlone: isReplyCard || (posting.thread === null && thread !== null) }
}

/** @returns the message, by a process that died before it could write it down or by this one; null where nobody can tell that yet */
async function postOnce(posting: StoredPosting, drawn: Shown, parts: Parts): Promise<string | null> {
  if (posting.begunAt === null) return await post(posting, drawn, parts)
  const found = await findAgain(posting, posting.begunAt, await wantedOf(posting, drawn, parts.postings), parts)
  if (found === 'unclear') return null
  if (found === 'nowhere') return await post(posting, drawn, parts)
  if (drawn.type === 'message') await overwrite(posting, found.message, drawn, parts)
  return found.message
}

async function post(posting: StoredPosting, drawn: Shown, parts: Parts): Promise<string> {
  const { postings, web, streams } = parts
  const { name, thread, isReplyCard, mayStandAlone } = await wantedOf(posting, drawn, postings)
  const channel = posting.place
  await postings.begin(posting.id, isReplyCard ? thread : undefined)
  if (drawn.type === 'message') {
    const begun = drawn.live === null || thread === null ? null : await streams.begin(posting.id, { channel, thread }, drawn.live)
    if (begun !== null) return begun
    const where = { channel, broadcast: drawn.broadcast, name }
    const postIn = async (place: string | null): Promise<string> =>
      await asTaken(drawn.message, async (taken) => await web.post({ ...taken, ...where, thread: place }))
    const posted = await postIn(thread).catch((error: unknown): null => {
      if (mayStandAlone && error instanceof SlackFailure && error.kind === 'refused') return null
      throw error
    })
    if (posted !== null) return posted
    await postings.begin(posting.id, null)
    return await postIn(null)
  }
  // A picture stands below the card it belongs to; a card that was given up has none.
  if (thread !== null || posting.kind !== 'chart')
    await web.upload({ channel, thread, name, body: drawn.body, alt: drawn.alt, title: drawn.title })
  return name
}

/**
 * Below the card of its incident, where that stands in the same channel: a request may be asked in another one than its incident was shown in. A card
 * itself stands below another one where it says so. What is a reply has no thread of its own: what belongs to it stands beside it.
 */
async function threadOf({ kind, incidentId, place }: StoredPosting, drawn: Shown, postings: PostingRows): Promise<string | null> {
  const above = kind !== 'incident' ? incidentId : drawn.type === 'message' ? drawn.below : null
  const card = above === null ? null : await postings.find('slack', 'incident', above)
  return card?.place === place ? (card.thread ?? card.message) : null
}

async function moved(posting: StoredPosting, { postings, home, now }: Parts): Promise<boolean> {
  const { id, kind, incidentId, place, thread } = posting
  if ((thread !== null && kind !== 'incident') || kind === 'approval') return false
  const channel = await home(posting)
  if (channel === null || channel === place) return false
  const card = kind === 'incident' || incidentId === null ? null : await postings.find('slack', 'incident', incidentId)
  if (card?.place === place) {
    await postings.move(card.id, channel)
    await postings.later(id, now())
  } else await postings.move(id, channel)
  return true
}

async function followed({ incidentId }: StoredPosting, drawn: Drawn, { follow }: Parts): Promise<void> {
  if (drawn.type === 'message' && incidentId !== null) for (const also of drawn.also) await follow(also, incidentId)
}

/** By which it is found again: of this posting alone, also beside another Steadyhand in the same channel. It tells nothing of the nonce. */
function nameOf({ kind, ref, nonce }: StoredPosting): string {
  return `${kind}:${ref}:${createHash('sha256').update(nonce).digest('hex').slice(0, 16)}`
}
