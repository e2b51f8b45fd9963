import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { codeOf } from '../../agent/domain/power.ts'
import { createPolicyInForce, type PolicyInForce } from '../../agent/policy-in-force.ts'
import { actorOf, describeKernel } from '../support/kernel.ts'
import { offered } from '../support/kernel-power.ts'

const policy = (rule: string): string => `version: 1\nrules:\n  - { name: ${rule}, when: {}, decide: deny }\n`
const rulesOf = async (inForce: PolicyInForce): Promise<string[] | null> =>
  (await inForce.now()).policy?.rules.map(({ name }) => name) ?? null

describeKernel('the policy that holds', (kernel) => {
  const reading = (text: string): PolicyInForce => createPolicyInForce({ source: { text, value: parse(text) }, store: kernel().policies })

  test('is the file’s at the first start', async () => {
    const file = reading(policy('one'))
    expect(await file.offer()).toBeNull()
    expect(await rulesOf(file)).toEqual(['one'])
  })

  test('stays the old one until two admins confirmed the new one, and changes without a start', async () => {
    await reading(policy('one')).offer()
    const file = reading(policy('two'))
    expect(await file.offer()).toMatch(/waits for two admins/)
    const before = await file.now()
    expect(await rulesOf(file)).toEqual(['one'])
    const [asked] = await kernel().power.pending()
    for (const admin of ['max', 'nora']) await kernel().power.confirm(codeOf(asked ?? { digest: '' }), actorOf(admin))
    expect(await rulesOf(file)).toEqual(['two'])
    expect((await file.now()).digest).not.toBe(before.digest)
  })

  test('is none while the file cannot be read, whatever held before', async () => {
    await reading(policy('one')).offer()
    const broken = createPolicyInForce({ source: { problem: 'the policy file cannot be read' }, store: kernel().policies })
    expect([await broken.offer(), await rulesOf(broken), broken.problems()]).toEqual([null, null, ['the policy file cannot be read']])
    const wrong = reading('version: 2\n')
    expect([await wrong.offer(), await rulesOf(wrong)]).toEqual([null, null])
    expect(wrong.problems()[0]).toMatch(/^the policy file is not valid: /)
  })

  test('is none when the one that holds cannot be read by this version', async () => {
    await offered(kernel(), 'rules: of another time')
    const file = reading(policy('one'))
    expect(await file.offer()).toMatch(/waits for two admins/)
    expect(await rulesOf(file)).toBeNull()
  })
})
