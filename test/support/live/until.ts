import { setTimeout as pause } from 'node:timers/promises'

const LOOK_AGAIN_MS = 100

/** Asks until the answer is neither null nor false. Fails with `what`, and with what `seen` says, when the time is over. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | false>,
  seconds: number,
  seen: () => string = () => '',
): Promise<T> {
  const deadline = Date.now() + seconds * 1_000
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}. ${seen()}`)
    await pause(LOOK_AGAIN_MS)
  }
}
