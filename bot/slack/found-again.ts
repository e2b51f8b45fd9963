import type { PostingRows, StoredPosting } from './postings.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'

export interface FindingDeps {
  postings: Pick<PostingRows, 'at' | 'isHeldBeside'>
  web: Pick<SlackWeb, 'search' | 'nameless'>
}

/** Where a message would stand, and under which name. */
export interface Wanted {
  name: string
  thread: string | null
  /** Where the thread is gone it stands in the channel. */
  mayStandAlone: boolean
}

/** `unclear`: what stands there may be what another process is posting at this moment. */
export type FoundAgain = { message: string } | 'nowhere' | 'unclear'

/** The clocks of this machine, the database and Slack are not the same one. */
const SEARCH_BACK_MS = 300_000

/** The message that a process began to post, and did not live to write down. */
export async function findAgain(posting: StoredPosting, begunAt: Date, wanted: Wanted, deps: FindingDeps): Promise<FoundAgain> {
  const { name, thread, mayStandAlone } = wanted
  const asked = { channel: posting.place, name, since: new Date(begunAt.getTime() - SEARCH_BACK_MS) }
  const inThread = await deps.web.search({ ...asked, thread }).catch(whereGone(mayStandAlone, null))
  const named = inThread ?? (mayStandAlone ? await deps.web.search({ ...asked, thread: null }) : null)
  if (named !== null) return { message: named }
  return posting.kind === 'answer' && thread !== null ? await amongStreams(posting, { ...asked, thread }, deps) : 'nowhere'
}

/**
 * A stream has no name until it is ended by us. One that stands in no row is that of a process that died before it wrote it down, unless somebody is
 * about to write it down: whoever begins one holds a claim until then. So it is looked at first, then who holds one, then what is written.
 */
async function amongStreams(
  { id, kind, place }: StoredPosting,
  where: { channel: string; thread: string; since: Date },
  { postings, web }: FindingDeps,
): Promise<FoundAgain> {
  const nameless = await web.nameless(where).catch(whereGone(true, []))
  if (nameless.length === 0) return 'nowhere'
  if (await postings.isHeldBeside('slack', { id, kind, place })) return 'unclear'
  for (const message of nameless) if ((await postings.at('slack', place, message)) === null) return { message }
  return 'nowhere'
}

/** A thread that is gone has nothing. */
function whereGone<T>(mayBe: boolean, nothing: T): (error: unknown) => T {
  return (error) => {
    if (mayBe && error instanceof SlackFailure && error.kind === 'refused') return nothing
    throw error
  }
}
