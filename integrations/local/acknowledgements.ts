/** Who has heard which revision of something that is told again and again, each revision larger than the one before. */
export interface Acknowledgements {
  heard(revision: number): void
  /** Resolves once this revision or a later one was heard, or the time is over. */
  waitFor(revision: number, timeoutMs: number): Promise<void>
}

export function createAcknowledgements(): Acknowledgements {
  const waiting = new Set<{ revision: number; resolve(): void }>()
  let latest = 0
  return {
    heard(revision) {
      latest = Math.max(latest, revision)
      for (const waiter of waiting) if (waiter.revision <= latest) waiter.resolve()
    },
    waitFor: (revision, timeoutMs) =>
      new Promise((done) => {
        if (revision <= latest) return done()
        const resolve = (): void => {
          clearTimeout(timer)
          waiting.delete(waiter)
          done()
        }
        const timer = setTimeout(resolve, timeoutMs)
        const waiter = { revision, resolve }
        waiting.add(waiter)
      }),
  }
}
