/**
 * Questions that come while an answer is under way are asked together, at most `most` at once: under load there is one statement for many of them,
 * and without it each is asked at once. `answer` gives an answer for each, in order; when it fails, so do all that were asked with it.
 */
export function together<Question, Answer>(
  most: number,
  answer: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): (question: Question) => Promise<Answer> {
  const waiting: { question: Question; settle: PromiseWithResolvers<Answer> }[] = []
  let isAsking = false

  const askAll = async (): Promise<void> => {
    isAsking = true
    while (waiting.length > 0) {
      const asked = waiting.splice(0, most)
      try {
        const answers = await answer(asked.map(({ question }) => question))
        if (answers.length !== asked.length) throw new Error(`${asked.length} questions had ${answers.length} answers`)
        for (const [index, each] of answers.entries()) asked[index]?.settle.resolve(each)
      } catch (error) {
        for (const { settle } of asked) settle.reject(error)
      }
    }
    isAsking = false
  }

  return (question) => {
    const settle = Promise.withResolvers<Answer>()
    waiting.push({ question, settle })
    if (!isAsking) void askAll()
    return settle.promise
  }
}
