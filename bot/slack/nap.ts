/** The pause between two rounds of work. */
export interface Nap {
  /** Ends early when something new waits. */
  doze(milliseconds: number): Promise<void>
  /** Ends early only when everything ends. */
  rest(milliseconds: number): Promise<void>
  wake(): void
  end(): void
}

export function createNap(): Nap {
  let woken = false
  let ended = false
  let rouse = (): void => {}
  const sleep = (milliseconds: number, light: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (ended || (light && woken)) return resolve()
      const timer = setTimeout(resolve, milliseconds)
      rouse = () => {
        if (!light && !ended) return
        clearTimeout(timer)
        resolve()
      }
    })
  return {
    async doze(milliseconds) {
      await sleep(milliseconds, true)
      woken = false
    },
    rest: (milliseconds) => sleep(milliseconds, false),
    wake() {
      woken = true
      rouse()
    },
    end() {
      ended = true
      rouse()
    },
  }
}
