import { DatabaseBusy } from './errors.ts'

/** First come, first served, for one thing that one caller can hold at a time. */
export interface WaitingLine {
  /** Resolves with the function that gives it back. @throws DatabaseBusy after the line's limit. */
  take(): Promise<() => void>
}

/** @param waitMs how long anyone waits before giving up. */
export function createWaitingLine(waitMs: number): WaitingLine {
  const queue: (() => void)[] = []
  let held = false

  const hold = (): (() => void) => {
    let released = false
    held = true
    return () => {
      if (released) return
      released = true
      held = false
      queue.shift()?.()
    }
  }

  const wait = (): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer)
        resolve(hold())
      }
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(enter), 1)
        reject(new DatabaseBusy(`No connection came free in ${waitMs} ms. Inside a transaction use \`tx\`, never \`db\`.`))
      }, waitMs)
      queue.push(enter)
    })

  return { take: async () => (held ? await wait() : hold()) }
}
