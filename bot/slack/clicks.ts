import type { Agent } from '../../agent/agent.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { parseDuration } from '../command-parser.ts'
import type { CardAction } from '../messages/card.ts'
import { cleanText } from '../messages/visible-text.ts'
import { mayDo } from '../permissions.ts'
import { formRef } from './answer-ref.ts'
import { type Click, readClick } from './clickable.ts'
import { approveForm, askForm, type Carried, denyForm, feedbackForm, readForm, resolveForm } from './forms.ts'
import { type ClickPayload, type FormPayload, teamOf } from './payloads.ts'
import type { SlackPeople } from './people.ts'
import type { PostingRows, StoredPosting } from './postings.ts'
import type { PrivateWords } from './private-words.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'
import type { Speaker, Talk } from './talk.ts'
import type { PlacedClick, Votes } from './votes.ts'
import { onlyHolds } from './work-kinds.ts'

export interface ClicksDeps {
  agent: Pick<Agent, 'approval'>
  web: Pick<SlackWeb, 'openForm'>
  people: SlackPeople
  postings: Pick<PostingRows, 'at'>
  votes: Votes
  talk: Talk
  words: PrivateWords
  log: { warn(object: object, message: string): void }
}

/** What becomes of a button that was pressed and of a form that was sent. Whoever did it is told, and nobody else. */
export interface Clicks {
  pressed(payload: ClickPayload): Promise<void>
  sent(payload: FormPayload): Promise<void>
}

export function createClicks(deps: ClicksDeps): Clicks {
  const { agent, web, people, votes, talk, words, log } = deps

  /** Commands that a card's button stands for. */
  const onIncident = async (placed: PlacedClick, caller: Speaker, trigger: string): Promise<string | null> => {
    const { click, channel, message } = placed
    const posting = await deps.postings.at('slack', channel, message)
    const [incidentId = '', ...rest] = click.ref.split(' ')
    if (posting === null || posting.nonce !== click.nonce || !isAbout(posting, incidentId, click.action)) throw new Refusal('wrong-place')
    if (click.action === 'resolve') {
      await web.openForm(trigger, resolveForm(incidentId, carry(placed)))
      return null
    }
    if (click.action === 'feedback' && rest[0] === 'wrong') await askForMore(placed, caller, trigger)
    await talk.whisper(`${click.action} ${incidentId} ${rest.join(' ')}`.trim(), caller, { channel, incident: incidentId })
    return null
  }

  /** What it was really. That it was wrong counts without an answer, and without the question. */
  const askForMore = async (placed: PlacedClick, { person }: Speaker, trigger: string): Promise<void> => {
    if (!mayDo(person.roles, 'feedback')) return
    const [incidentId = ''] = placed.click.ref.split(' ')
    await web.openForm(trigger, feedbackForm(incidentId, carry(placed))).catch((err: unknown) => {
      if (!(err instanceof SlackFailure)) throw err
      log.warn({ err }, 'nobody could be asked what it was really')
    })
  }

  const onApproval = async (placed: PlacedClick, payload: ClickPayload): Promise<string | null> => {
    const who = { userId: payload.user.id, teamId: teamOf(payload) }
    const approval = await votes.requestOf(placed)
    const standing = await people.standing(who, { fresh: approval.plan.reversibility === 'irreversible' })
    if (!standing.ok) return standing.words
    const { action } = placed.click
    const isOpen = approval.requestState === 'pending'
    if (action === 'approve' && approval.plan.approval.confirm !== null && isOpen) {
      await web.openForm(payload.trigger_id, approveForm(approval, carry(placed)))
      return null
    }
    if (action === 'approve') {
      const clickId = payload.actions[0]?.action_ts ?? ''
      return await votes.cast(placed, standing.caller, { decision: 'approve', confirm: null, reason: null, clickId })
    }
    if (action === 'deny') {
      await web.openForm(payload.trigger_id, denyForm(approval, carry(placed)))
      return null
    }
    if (action === 'ask') {
      await web.openForm(payload.trigger_id, askForm(carry(placed)))
      return null
    }
    if (action === 'keep') return await votes.keep(placed, standing.caller)
    return action === 'check-again' ? await votes.checkAgain(placed, standing.caller) : null
  }

  const pressed = async (payload: ClickPayload, placed: PlacedClick): Promise<string | null> => {
    if (placed.click.digest !== null) return await onApproval(placed, payload)
    const standing = await people.standing({ userId: payload.user.id, teamId: teamOf(payload) })
    return standing.ok ? await onIncident(placed, standing.caller, payload.trigger_id) : standing.words
  }

  const sent = async (payload: FormPayload, form: NonNullable<ReturnType<typeof readForm>>): Promise<string | null> => {
    const { name, carried, field } = form
    const who = { userId: payload.user.id, teamId: teamOf(payload) }
    const placed = placedOf(carried)
    const fresh = name === 'approve' && placed !== null && (await agent.approval(placed.click.ref))?.plan.reversibility === 'irreversible'
    const standing = await people.standing(who, { fresh, toHold: onlyHolds(name) })
    if (!standing.ok) return standing.words
    const { caller } = standing
    const clickId = `form ${payload.view.id}`
    if (name === 'approve' || name === 'deny') {
      if (placed === null) throw new Refusal('wrong-place')
      const typed = name === 'approve' ? { confirm: field('typed'), reason: null } : { confirm: null, reason: field('reason') || null }
      return await votes.cast(placed, caller, { decision: name, ...typed, clickId })
    }
    if (name === 'ask') {
      if (placed === null) throw new Refusal('wrong-place')
      const { incidentId } = await votes.requestOf(placed)
      await talk.answer(field('question'), caller, {
        channel: placed.channel,
        incident: incidentId,
        ref: formRef(payload.view.id),
      })
      return null
    }
    if (name === 'feedback' && ['cause', 'component', 'words'].every((each) => field(each) === ''))
      return 'Nothing was added: that it was wrong is noted.'
    // A word that is no length would be read as what to freeze.
    if (name === 'freeze' && parseDuration(field('length')) === null)
      return `“${cleanText(field('length'), 40)}” is no length of time, so nothing was frozen. Write it as 30m, 2h or 1d.`
    const command = {
      feedback: () => feedbackCommand(placed?.click.ref ?? '', field),
      resolve: () => `resolve ${placed?.click.ref ?? ''} ${field('reason')}`,
      investigate: () => `investigate ${field('service')}`,
      freeze: () => `freeze * ${field('length')} ${field('reason')}`,
      stop: () => 'stop',
    }[name]()
    await talk.whisper(command, caller, { channel: carried.channel, incident: null })
    return null
  }

  /** Says why not, whatever kind of "no" it is; faults are thrown, and the work is done again. */
  const telling = async (
    to: { userId: string; channel: string | null },
    requestId: string | null,
    act: () => Promise<string | null>,
  ): Promise<void> => {
    const said = await act().catch(async (error: unknown) => {
      if (error instanceof Refusal) return await votes.refused(error, requestId)
      if (error instanceof SlackFailure && error.kind === 'refused' && /trigger/.test(error.code))
        return 'That took too long. Press it again.'
      throw error
    })
    if (said !== null) await words.tellAfter(to, said)
  }

  return {
    async pressed(payload) {
      const [action] = payload.actions
      const click = action ? readClick(action.action_id, action.selected_option?.value ?? action.value ?? '') : null
      const channel = payload.container.channel_id ?? payload.channel?.id ?? null
      const message = payload.container.message_ts ?? null
      if (click === null || channel === null || message === null) {
        // A button that only opens an address is pressed as well.
        if (action?.action_id !== LINK)
          log.warn({ kind: 'click', paths: missing({ actions: click, channel, message }) }, 'a button that is none of ours')
        return
      }
      const requestId = click.digest === null ? null : click.ref
      await telling({ userId: payload.user.id, channel }, requestId, async () => await pressed(payload, { click, channel, message }))
    },
    async sent(payload) {
      const form = readForm(payload.view)
      if (form === null) return log.warn({ kind: 'form', paths: ['view'] }, 'a form that is none of ours')
      const requestId = placedOf(form.carried)?.click.ref ?? null
      await telling({ userId: payload.user.id, channel: form.carried.channel }, requestId, async () => await sent(payload, form))
    },
  }
}

const LINK = 'open'
/** Messages that tell of a diagnosis without being its card. */
const TELLING: readonly string[] = ['answer', 'notice', 'ended']

/** Whether a message has this button, about this incident. */
function isAbout({ kind, ref, incidentId, body }: StoredPosting, about: string, action: CardAction): boolean {
  if (kind === 'incident') return ref === about
  return action === 'feedback' && TELLING.includes(kind) && about === (kind === 'ended' ? incidentId : body?.['about'])
}

/** As somebody would type it: the component is one word, and everything else stands where it is read as words. */
function feedbackCommand(ref: string, field: (name: string) => string): string {
  const [cause, component = ''] = [field('cause'), field('component').split(/\s+/)[0]]
  const what = cause === '' ? component : `${cause}${component === '' ? '' : ` of ${component}`}`
  return `feedback ${ref} ${what} ${field('words')}`.trim()
}

function missing(parts: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(parts).filter((name) => parts[name] === null)
}

/** The click travels in the form that it opened. */
function carry({ click, channel, message }: PlacedClick): Carried {
  return { channel, message, value: `${click.action} ${click.nonce} ${click.digest ?? '-'} ${click.ref}` }
}

function placedOf({ channel, message, value }: Carried): PlacedClick | null {
  const click: Click | null = readClick('more', value)
  return click === null || channel === null || message === null ? null : { click, channel, message }
}
