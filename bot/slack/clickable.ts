import type { ConfirmationDialog, KnownBlock } from '@slack/types'
import type { Approval } from '../../agent/domain/approval.ts'
import { CARD_ACTIONS, type CardAction } from '../messages/card.ts'
import { cutText, exactWords } from '../messages/visible-text.ts'
import { LIMITS } from './limits.ts'

/** What a button of ours says when it is pressed: which message it belongs to, what it asks for, and about what. */
export interface Click {
  action: CardAction
  nonce: string
  /** The request's or incident's id; after a space what else belongs to it. */
  ref: string
  /** Of the plan that was on the card; null on other cards. */
  digest: string | null
}

/** Between the name of an action and its place among the buttons. */
const NTH = '#'
const NONCE = /^[\w-]{20,64}$/
const DIGEST = /^[0-9a-f]{64}$/

/**
 * Binds the buttons of a card to the message it is shown as and to the plan on it. `nonce` is known to nobody who was not shown this message.
 * Approving something that is not safe takes a second look: Slack asks again first.
 */
export function clickable(blocks: readonly KnownBlock[], { nonce, approval }: { nonce: string; approval: Approval | null }): KnownBlock[] {
  const boundTo = (ref: string): string => `${nonce} ${approval === null ? '-' : approval.digest} ${ref}`
  return blocks.map((block) => {
    if (block.type !== 'actions') return block
    const elements = block.elements.map((element, index) => {
      if (element.type === 'button' && element.value !== undefined) {
        const confirm = element.action_id === 'approve' && approval !== null ? secondLook(approval) : null
        // An id may be there once in a row of buttons.
        const action_id = `${element.action_id ?? ''}${index === 0 ? '' : `${NTH}${index}`}`
        return { ...element, action_id, value: boundTo(element.value), ...(confirm === null ? {} : { confirm }) }
      }
      if (element.type !== 'overflow') return element
      const options = element.options.map((option) => {
        const [action = '', ...ref] = (option.value ?? '').split(' ')
        return { ...option, value: `${action} ${boundTo(ref.join(' '))}`.slice(0, LIMITS.optionValue) }
      })
      return { ...element, options }
    })
    return { ...block, elements }
  })
}

/** What was pressed, from the element's id and value; null for what no card of ours has. */
export function readClick(actionId: string, value: string): Click | null {
  const [id, ...rest] = actionId === 'more' ? value.split(' ') : [actionId.split(NTH)[0], ...value.split(' ')]
  const action = CARD_ACTIONS.find((known) => known === id)
  const [nonce = '', digest = '', ...ref] = rest
  if (action === undefined || !NONCE.test(nonce) || ref.length === 0 || !(digest === '-' || DIGEST.test(digest))) return null
  return { action, nonce, ref: ref.join(' '), digest: digest === '-' ? null : digest }
}

/** A plan that has something typed needs no second question. */
function secondLook({ plan }: Approval): ConfirmationDialog | null {
  if (plan.risk !== 'caution' || plan.approval.confirm !== null) return null
  const plain = (text: string): { type: 'plain_text'; text: string; emoji: false } => ({ type: 'plain_text', text, emoji: false })
  return {
    title: plain('Approve this?'),
    text: plain(cutText(`${exactWords(plan.action.title)}. ${plan.undo ? 'It can be undone.' : 'It cannot be undone.'}`, 280)),
    confirm: plain('Approve'),
    deny: plain('Not yet'),
  }
}
