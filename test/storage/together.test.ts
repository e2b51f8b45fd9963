import { describe, expect, test } from 'vitest'
import { together } from '../../storage/together.ts'

/** Answers when it is told to, and remembers what it was asked. */
function slowAnswers(most: number) {
  const asked: number[][] = []
  const turns: PromiseWithResolvers<void>[] = []
  const ask = together(most, async (questions: readonly number[]) => {
    asked.push([...questions])
    const turn = Promise.withResolvers<void>()
    turns.push(turn)
    await turn.promise
    return questions.map((question) => question * 10)
  })
  const goOn = async (): Promise<void> => {
    turns.shift()?.resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { ask, asked, turns, goOn }
}

describe('questions asked together', () => {
  test('the first at once, those that come meanwhile in one, and no more than fit', async () => {
    const { ask, asked, goOn } = slowAnswers(3)
    const answers = Promise.all([1, 2, 3, 4, 5].map(ask))
    expect(asked).toEqual([[1]])
    await goOn()
    expect(asked).toEqual([[1], [2, 3, 4]])
    await goOn()
    await goOn()
    expect(asked).toEqual([[1], [2, 3, 4], [5]])
    expect(await answers).toEqual([10, 20, 30, 40, 50])
    const last = ask(6)
    expect(asked.at(-1)).toEqual([6])
    await goOn()
    expect(await last).toBe(60)
  })

  test('fail with those they were asked with, and nobody after', async () => {
    const { ask, turns, goOn } = slowAnswers(3)
    const [first, second] = [ask(1), ask(2)]
    turns.shift()?.reject(new Error('the database is away'))
    await expect(first).rejects.toThrow('away')
    await goOn()
    expect(await second).toBe(20)
  })

  test('an answer too few is no answer', async () => {
    const ask = together(3, async () => [] as number[])
    await expect(ask(1)).rejects.toThrow('1 questions had 0 answers')
  })
})
