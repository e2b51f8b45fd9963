/** How fast things are shown, in milliseconds. */
export interface Pace {
  /** Between two calls about one channel: Slack allows one message a second. */
  channelMs: number
  /** Between two edits of a card when nothing that matters has changed. */
  quietMs: number
  /** After so long an answer that is still being looked for is announced. */
  slowMs: number
}

export const PACE: Pace = { channelMs: 1_000, quietMs: 30_000, slowMs: 2_000 }
