/** How an incident was said to have ended. */
export const VERDICTS = ['fixed', 'false-alarm', 'duplicate', 'wont-fix'] as const
export type Verdict = (typeof VERDICTS)[number]
