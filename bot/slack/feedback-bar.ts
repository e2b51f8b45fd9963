import type { KnownBlock } from '@slack/types'

/** Whether the diagnosis of an incident was right: two small signs below a message that tells of it, bound to that message by its nonce. */
export function feedbackBar(incidentId: string, nonce: string): KnownBlock {
  const button = (words: string, verdict: 'right' | 'wrong') => ({
    text: { type: 'plain_text' as const, text: words, emoji: false },
    accessibility_label: `${words}: ${incidentId}`,
    value: `${nonce} - ${incidentId} ${verdict}`,
  })
  return {
    type: 'context_actions',
    elements: [
      {
        type: 'feedback_buttons',
        action_id: 'feedback',
        positive_button: button('The diagnosis is right', 'right'),
        negative_button: button('The diagnosis is wrong', 'wrong'),
      },
    ],
  }
}
