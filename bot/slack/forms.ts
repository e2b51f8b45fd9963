import type { KnownBlock, View } from '@slack/types'
import { z } from 'zod'
import type { Approval } from '../../agent/domain/approval.ts'
import { ALL_FAULT_CLASSES } from '../../agent/domain/fault-classes.ts'
import type { CardBlock } from '../messages/card.ts'
import { text } from '../messages/card.ts'
import { faultWords } from '../messages/cause-words.ts'
import { code, exact, say } from '../messages/span.ts'
import { cleanText } from '../messages/visible-text.ts'
import { LIMITS } from './limits.ts'
import { renderBlocks } from './render.ts'

/** What a form carries from the click that opened it to the words that were typed. It comes back in a body that Slack signed. */
const carriedSchema = z.object({
  /** Where the click was made, and on which message; null for a form that no card opened. */
  channel: z.string().nullable(),
  message: z.string().nullable(),
  value: z.string().max(2_000),
})
export type Carried = z.infer<typeof carriedSchema>

export const FORMS = ['approve', 'deny', 'ask', 'resolve', 'feedback', 'investigate', 'freeze', 'stop'] as const
export type FormName = (typeof FORMS)[number]

const LONGEST_TYPED = 200
const LONGEST_REASON = 500

/** Null for a form that is none of ours. */
export function readForm(view: {
  callback_id: string
  private_metadata: string
  state: {
    values: Record<string, Record<string, { value?: string | null | undefined; selected_option?: { value: string } | null | undefined }>>
  }
}): { name: FormName; carried: Carried; field(name: string): string } | null {
  const name = FORMS.find((known) => known === view.callback_id)
  const carried = carriedSchema.safeParse(parsed(view.private_metadata))
  if (name === undefined || !carried.success) return null
  const field = (block: string): string => {
    const input = Object.values(view.state.values[block] ?? {})[0]
    return (input?.selected_option?.value ?? input?.value ?? '').trim()
  }
  return { name, carried: carried.data, field }
}

/** What has to be typed, so that it is surely meant. */
export function approveForm(approval: Approval, carried: Carried): View {
  const { action, approval: rule, target } = approval.plan
  return form('approve', 'Approve for good?', 'Approve', carried, [
    ...shown(
      text(say`${exact(action.title)}`),
      text(say`${code(target.name)} in ${code(target.environment)}. ${approval.plan.undo ? '' : 'It cannot be undone.'}`),
      text(say`Type ${code(rule.confirm ?? '')} exactly as it stands here.`),
    ),
    input('typed', 'Confirmation', { max: LONGEST_TYPED }),
  ])
}

export function denyForm(approval: Approval, carried: Carried): View {
  return form('deny', 'Deny this?', 'Deny', carried, [
    ...shown(text(say`${exact(approval.plan.action.title)}`), text(say`One denial is enough: nothing of it will run.`)),
    input('reason', 'Why (everybody sees it)', { max: LONGEST_REASON, optional: true, long: true }),
  ])
}

export function askForm(carried: Carried): View {
  return form('ask', 'Ask about this', 'Ask', carried, [
    ...shown(text(say`The answer is posted in the thread of the incident.`)),
    input('question', 'Question', { max: 1_000, long: true }),
  ])
}

export function resolveForm(incidentId: string, carried: Carried): View {
  return form('resolve', 'Resolve this?', 'Resolve', carried, [
    ...shown(text(say`${incidentId} ends by your word.`)),
    input('reason', 'What ended it (everybody sees it)', { max: LONGEST_REASON, optional: true, long: true }),
  ])
}

/** After somebody said that a diagnosis was wrong: that counts already, and this says more. */
export function feedbackForm(incidentId: string, carried: Carried): View {
  const causes = ALL_FAULT_CLASSES.filter((cause) => cause !== 'unknown').map((cause) => ({ name: faultWords(cause), value: cause }))
  return form('feedback', 'What was it really?', 'Add', carried, [
    ...shown(text(say`Your “wrong” for ${incidentId} is noted. What is added here is counted with it.`)),
    choice('cause', 'Cause', causes, { optional: true }),
    input('component', 'Of which component', { max: LONGEST_TYPED, optional: true }),
    input('words', 'In your words', { max: LONGEST_REASON, optional: true, long: true }),
  ])
}

export function freezeForm(carried: Carried): View {
  return form('freeze', 'Freeze changes', 'Freeze', carried, [
    ...shown(text(say`Nothing runs until the freeze ends.`)),
    input('length', 'For how long: 30m, 2h, 1d', { max: 10 }),
    input('reason', 'Why', { max: 300 }),
  ])
}

export function stopForm(carried: Carried): View {
  return form('stop', 'Stop everything?', 'Stop', carried, [
    ...shown(text(say`Nothing runs any more, at once. Two people can start it again.`)),
  ])
}

/** Which service a message is about, when its words do not say it. */
export function investigateForm(services: readonly string[], carried: Carried): View {
  const options = services.map((name) => ({ name, value: name }))
  return form('investigate', 'Investigate', 'Investigate', carried, [choice('service', 'Service', options, { optional: false })])
}

function form(name: FormName, title: string, submit: string, carried: Carried, blocks: KnownBlock[]): View {
  const plain = (words: string): { type: 'plain_text'; text: string; emoji: false } => ({ type: 'plain_text', text: words, emoji: false })
  return {
    type: 'modal',
    callback_id: name,
    title: plain(title),
    submit: plain(submit),
    close: plain('Cancel'),
    private_metadata: JSON.stringify(carried),
    blocks,
  }
}

function input(
  name: string,
  label: string,
  { max, optional = false, long = false }: { max: number; optional?: boolean; long?: boolean },
): KnownBlock {
  return {
    type: 'input',
    block_id: name,
    optional,
    label: { type: 'plain_text', text: label, emoji: false },
    element: { type: 'plain_text_input', action_id: name, max_length: max, multiline: long },
  }
}

function choice(
  name: string,
  label: string,
  among: readonly { name: string; value: string }[],
  { optional }: { optional: boolean },
): KnownBlock {
  const options = among.slice(0, LIMITS.selectOptions).map(({ name: words, value }) => ({
    text: { type: 'plain_text' as const, text: cleanText(words, LIMITS.optionText) || '?', emoji: false },
    value: value.slice(0, LIMITS.optionValue),
  }))
  return {
    type: 'input',
    block_id: name,
    optional,
    label: { type: 'plain_text', text: label, emoji: false },
    element: { type: 'static_select', action_id: name, options },
  }
}

function shown(...blocks: CardBlock[]): KnownBlock[] {
  return renderBlocks({ kind: 'answer', ref: '', notification: '', blocks }).blocks
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}
