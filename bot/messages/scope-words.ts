/** The scope of everything, of stops and of freezes. */
export const EVERYTHING = '*'

/** 'everything' for '*'; any other scope names itself: 'env:production'. */
export function scopeWords(scope: string): string {
  return scope === EVERYTHING ? 'everything' : scope
}
