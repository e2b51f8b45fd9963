import { DatabaseBusy } from './errors.ts'

/** First come, first served, for one thing that one caller can hold at a time; but for who is let ahead. */
export interface WaitingLine {
  /**
   * Resolves with the function that gives it back. `ahead`: before everybody who is not, for what somebody waits for with their finger on a button.
   *
   * @throws DatabaseBusy after the line's limit.
   */
  take(ahead?: boolean): Promise<() => void>
}

/** @param waitMs how long anyone waits before giving up. */
export function createWaitingLine(waitMs: number): WaitingLine {
  const [ahead, queue]: [(() => void)[], (() => void)[]] = [[], []]
  let held = false

  const hold = (): (() => void) => {
    let released = false
    held = true
    return () => {
      if (released) return
      released = true
      held = false
      const next = ahead.shift() ?? queue.shift()
      next?.()
    }
  }

  const wait = (line: (() => void)[]): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer)
        resolve(hold())
      }
      const timer = setTimeout(() => {
        line.splice(line.indexOf(enter), 1)
        reject(new DatabaseBusy(`No connection came free in ${waitMs} ms. Inside a transaction use \`tx\`, never \`db\`.`))
      }, waitMs)
      line.push(enter)
    })

  return { take: async (isAhead = false) => (held ? await wait(isAhead ? ahead : queue) : hold()) }
}
