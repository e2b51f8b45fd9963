import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { DEFAULT_POLICY } from '../../../agent/policy/default-policy.ts'
import { parsePolicy, policyDigest } from '../../../agent/policy/rules.ts'

const rule = (said: object = {}) => ({ name: 'a-rule', when: {}, decide: 'ask', ...said })
const problems = (value: unknown): string[] => {
  const parsed = parsePolicy(value)
  return parsed.ok ? [] : parsed.problems
}

describe('a policy file', () => {
  it('is read with defaults, single values as lists', () => {
    expect(parsePolicy({ version: 1, rules: [rule({ when: { action: 'k8s.*', severity: 3, reversibility: 'reversible' } })] })).toEqual({
      ok: true,
      policy: {
        version: 1,
        rules: [
          {
            name: 'a-rule',
            when: { action: ['k8s.*'], severity: [3], reversibility: ['reversible'] },
            decide: 'ask',
            role: 'approver',
            needed: 1,
            requesterMayApprove: false,
            ttlMinutes: 15,
            cooldownSeconds: 60,
            confirm: 'none',
          },
        ],
      },
    })
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /empty/],
    ['no version', { rules: [] }, /version/],
    ['another version', { version: 2, rules: [] }, /version/],
    ['no rules', { version: 1 }, /rules/],
    ['a misspelt key', { version: 1, rules: [rule({ neded: 2 })] }, /rules\.\[0\]: unknown key "neded"; did you mean "needed"\?/],
    [
      'a misspelt condition',
      { version: 1, rules: [rule({ when: { enviroment: 'prod' } })] },
      /rules\.\[0\]\.when: unknown key "enviroment"; did you mean "environment"\?/,
    ],
    ['a misspelt top key', { version: 1, rules: [], rulez: [] }, /the file: unknown key "rulez"; did you mean "rules"\?/],
    ['a key from nowhere', { version: 1, rules: [rule({ allowEverything: true })] }, /unknown key "allowEverything"; known are name, when/],
    ['an allow', { version: 1, rules: [rule({ decide: 'allow' })] }, /rules\.\[0\]\.decide/],
    ['nobody needed', { version: 1, rules: [rule({ needed: 0 })] }, /needed/],
    ['a day to decide', { version: 1, rules: [rule({ ttlMinutes: 1_440 })] }, /ttlMinutes/],
    ['an unknown role', { version: 1, rules: [rule({ role: 'viewer' })] }, /role/],
    ['severity 0', { version: 1, rules: [rule({ when: { severity: 0 } })] }, /severity/],
    ['a name with spaces', { version: 1, rules: [rule({ name: 'My Rule' })] }, /name/],
    ['a deny that asks people', { version: 1, rules: [rule({ decide: 'deny', needed: 2 })] }, /unknown key "needed"/],
    ['two rules of one name', { version: 1, rules: [rule(), rule()] }, /two rules are named "a-rule"/],
    ['text', 'rules: []', /the file/],
    ['a list', [], /the file/],
  ])('is refused with %s', (_, value, words) => {
    expect(problems(value).join('\n')).toMatch(words)
    expect(problems(value).length).toBeGreaterThan(0)
  })

  it('is told apart by its text', () => {
    expect(policyDigest(DEFAULT_POLICY)).toMatch(/^[0-9a-f]{64}$/)
    expect(policyDigest(`${DEFAULT_POLICY} `)).not.toBe(policyDigest(DEFAULT_POLICY))
  })
})

it('the built-in policy is one', () => {
  expect(problems(parse(DEFAULT_POLICY))).toEqual([])
})
