import { describe, expect, test } from 'vitest'
import { parseCommand } from '../../../bot/command-parser.ts'
import type { CommandContext } from '../../../bot/commands/command.ts'
import { requestIn } from '../../../bot/commands/request.ts'

type Wanted = { action: string; service: string; environment: string | null; parameters: Record<string, unknown> }

/** What is put before people when somebody says this: null for nothing at all, words for a question back. */
async function asked(said: string): Promise<Wanted | string | null> {
  const wanted: Wanted[] = []
  const actions = ['rollback', 'restart', 'scale'].map((verb) => ({ verb, kind: `local.${verb}`, description: '' }))
  const agent = {
    actions: () => actions,
    proposeByHand: async (given: Wanted) => {
      wanted.push(given)
      throw new Error('far enough')
    },
  }
  const person = { id: 'alice', name: 'Alice', kind: 'human', active: true, roles: ['responder'] }
  const context = {
    agent,
    caller: { kind: 'person', person },
    incident: null,
    now: new Date(0),
    consoleUrl: null,
  } as unknown as CommandContext
  const command = requestIn(parseCommand(said), context)
  const words = await command?.run(parseCommand(said), context).catch((error: Error) => error.message)
  return wanted[0] ?? (typeof words === 'string' ? words : null)
}

describe('an action asked for in words', () => {
  test.each([
    'rollback payments',
    'rollback payments to the previous version',
    'Rollback payments to its previous release, please'.replace(',', ''),
    'please roll-back the payments now',
    '<@U123> can you rollback payments.',
  ])('%s', async (said) => {
    expect(await asked(said)).toMatchObject({ action: 'rollback', service: 'payments', parameters: {} })
  })

  test.each(['rollback payments in prod', 'rollback payments to the previous version in prod please', 'rollback payments in prod now'])(
    '%s, where it runs in several',
    async (said) => expect(await asked(said)).toMatchObject({ action: 'rollback', service: 'payments', environment: 'prod' }),
  )

  test('with its parameters', async () => {
    expect(await asked('scale payments replicas=3')).toMatchObject({ action: 'scale', service: 'payments', parameters: { replicas: 3 } })
  })

  test.each([
    'rollback',
    'rollback payments to v39',
    'rollback payments and checkout',
    'restart payments to the previous version',
    'scale payments to 3',
    'restart payments in 5 minutes',
  ])('%s could mean something else, and is asked back', async (said) => expect(await asked(said)).toContain('Say it exactly'))

  test.each(['what changed?', 'rollback payments?', 'why is payments slow', 'rolling payments', ''])('%s asks for none', async (said) => {
    expect(await asked(said)).toBeNull()
  })
})
