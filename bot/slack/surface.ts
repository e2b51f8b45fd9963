import type { Agent } from '../../agent/agent.ts'
import type { ApprovalKernel } from '../../agent/ports.ts'
import { text } from '../messages/card.ts'
import { say } from '../messages/span.ts'
import type { SpokenNotice, Surface } from '../surface.ts'
import type { Deliverer } from './deliverer.ts'
import type { PostingRows } from './postings.ts'
import { renderBlocks } from './render.ts'
import { tellVoters } from './vote-told.ts'

/** Which waits for which when Slack takes only some: cards, then what became of them, then the rest. */
export const PRIORITY = {
  approval: 1,
  incident: 2,
  page: 2,
  answer: 3,
  notice: 4,
  vote: 4,
  ended: 5,
  chart: 6,
  file: 7,
  picture: 7,
} as const

/** Notices that the whole channel should see, not only who follows the thread: that something was done and what came of it. */
const BROADCAST = /^(execution-(verified|failed|undetermined|undone|aborted)|undo-(failed|lapsed|kept)|page)$/
/** Notices that show whether the diagnosis was right: whoever knows can say so there. */
const JUDGED = /^execution-(verified|failed|undetermined|undone)$/
/** The card of the request says it itself, as a message of its own. */
const SAID_BY_CARD = new Set(['request-pending'])

export interface SlackSurfaceDeps {
  postings: Pick<PostingRows, 'draw' | 'say'>
  deliverer: Pick<Deliverer, 'wake'>
  agent: Pick<Agent, 'channelFor'>
  /** Accounts of this workspace that a person is linked to now. */
  accountsOf(person: string): Promise<string[]>
  votedBy: ApprovalKernel['votedBy']
  /** The channel for what concerns everybody and, while there are no workspaces, for incidents. */
  channel: string
}

/** Notes what should be seen on Slack; the deliverer shows it. So Slack's being away holds up nothing and loses nothing. */
export function createSlackSurface({ postings, deliverer, agent, accountsOf, votedBy, channel }: SlackSurfaceDeps): Surface {
  /** Where it is shown; null when no channel may show it. */
  const drawIncident = async (incidentId: string): Promise<string | null> => {
    const place = await agent.channelFor({ incident: incidentId }, channel)
    if (place !== null) await postings.draw('slack', { kind: 'incident', ref: incidentId, incidentId, priority: PRIORITY.incident, place })
    return place
  }
  const placeOf = async ({ incidentId, audience }: SpokenNotice): Promise<string | null> => {
    if (incidentId !== null) return await drawIncident(incidentId)
    return audience === 'everybody' ? channel : await agent.channelFor(audience, channel)
  }
  return {
    name: 'slack',
    async refreshIncident(incidentId) {
      await drawIncident(incidentId)
      deliverer.wake()
    },
    async refreshApproval(requestId, read) {
      const approval = await read()
      if (approval === null) return
      const say: Parameters<typeof tellVoters>[1]['say'] = async (said) => await postings.say('slack', said)
      await tellVoters(approval, { say, accountsOf, votedBy, priority: PRIORITY.vote })
      deliverer.wake()
      // The card it belongs to may have been made before there was a Slack.
      const place = await drawIncident(approval.incidentId)
      if (place === null) return
      const posting = { kind: 'approval', ref: requestId, incidentId: approval.incidentId, priority: PRIORITY.approval, place }
      await postings.draw('slack', posting)
      deliverer.wake()
    },
    async say(notice) {
      if (SAID_BY_CARD.has(notice.code)) return
      const place = await placeOf(notice)
      if (place === null) return
      await postings.say('slack', {
        kind: notice.kind,
        ref: notice.ref,
        incidentId: notice.incidentId,
        priority: PRIORITY[notice.kind],
        place,
        thread: null,
        body: bodyOf(notice),
      })
      deliverer.wake()
    },
  }
}

/** It only says what comes next. */
const ON_THE_WAY = 'request-authorised'

function bodyOf({ text: words, code, incidentId, requestId }: SpokenNotice): Record<string, unknown> {
  const card = { kind: 'answer' as const, ref: '', notification: words, blocks: [text(say`${words}`)] }
  const about = JUDGED.test(code) ? incidentId : null
  return { ...renderBlocks(card), broadcast: BROADCAST.test(code), about, ...(code === ON_THE_WAY ? { until: requestId } : {}) }
}
