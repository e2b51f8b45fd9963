import { expect, test } from 'vitest'
import { createSelfCheck, type SelfCheckDeps } from '../../agent/mode.ts'
import { createAcceptedEffects } from '../../storage/accepted-effects.ts'
import { createAuditStore } from '../../storage/audit.ts'
import { createExecutionKernel } from '../../storage/execution.ts'
import { createPeopleStore } from '../../storage/people.ts'
import { describeDatabases } from '../support/database.ts'

const MINUTE_MS = 60_000

describeDatabases('the self-check', (store) => {
  const database = store.perTest()

  async function reasons(changed: Partial<SelfCheckDeps> = {}): Promise<string[]> {
    const { db } = database()
    const check = createSelfCheck({
      configured: () => [],
      journal: { tryToWrite: async () => {}, entries: async () => [], append: async () => {} },
      kernel: createExecutionKernel({ db }),
      acceptedEffects: createAcceptedEffects({ db }),
      people: createPeopleStore({ db }),
      audit: createAuditStore({ db }),
      changedCards: async () => [],
      tryToWrite: async () => {},
      now: () => new Date(),
      ...changed,
    })
    return (await check.run()).map(({ about, words }) => `${about}: ${words}`)
  }

  test('without anybody who may approve it only observes', async () => {
    expect(await reasons()).toEqual(['people: nobody holds the approver role, so nothing can be approved'])
  })

  test.each([
    [-MINUTE_MS, "the database's clock is 60 s ahead of this machine's"],
    [MINUTE_MS, "the database's clock is 60 s behind this machine's"],
  ])('a machine whose clock is off by %i ms only observes', async (off, words) => {
    expect(await reasons({ now: () => new Date(Date.now() + off) })).toContainEqual(expect.stringContaining(`clock: ${words}`))
  })

  test('without room to write it only observes, and says what the system said', async () => {
    const tryToWrite = async (): Promise<never> => {
      throw new Error('ENOSPC: no space left on device, write')
    }
    expect(await reasons({ tryToWrite })).toContain('storage: nothing can be stored: ENOSPC: no space left on device, write')
  })

  test('what cannot be checked has not passed', async () => {
    const changedCards = async (): Promise<never> => {
      throw new Error('no such plan')
    }
    expect(await reasons({ changedCards })).toContain('cards: the cards could not be rendered again: no such plan')
  })
})
