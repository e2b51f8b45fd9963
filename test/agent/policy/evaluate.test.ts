import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { DEFAULT_POLICY } from '../../../agent/policy/default-policy.ts'
import { type ActionBounds, evaluate, matchesPattern, type PolicyFacts } from '../../../agent/policy/evaluate.ts'
import { type Policy, parsePolicy } from '../../../agent/policy/rules.ts'

const action = (said: Partial<ActionBounds> = {}): ActionBounds => ({
  ...{ kind: 'local.restart', reversibility: 'reversible', role: 'approver', minNeeded: 1, requesterMayApprove: true },
  ...{ stepUp: 'none', maxTtlSeconds: 1_800, minCooldownSeconds: 5 },
  ...said,
})

const facts = (said: Partial<PolicyFacts> = {}): PolicyFacts => ({
  ...{ action: action(), environment: 'local', service: 'payments', severity: 1, requester: null },
  holders: () => ['alice', 'carol'],
  hurried: null,
  gates: { replicas: 1, fleet: 4, wantedReplicas: null, corroborated: true },
  ...said,
})

function policy(...rules: object[]): Policy {
  const parsed = parsePolicy({ version: 1, rules: rules.map((rule, i) => ({ name: `rule-${i}`, when: {}, decide: 'ask', ...rule })) })
  if (!parsed.ok) throw new Error(parsed.problems.join())
  return parsed.policy
}

const builtIn = (() => {
  const parsed = parsePolicy(parse(DEFAULT_POLICY))
  if (!parsed.ok) throw new Error(parsed.problems.join())
  return parsed.policy
})()

describe('the built-in policy', () => {
  it.each<[string, Partial<PolicyFacts>, object]>([
    [
      'asks one approver for a reversible action',
      {},
      { decide: 'ask', asking: { rule: 'local-reversible', role: 'approver', needed: 1, requesterMayApprove: true, typed: false } },
    ],
    [
      'asks one approver for a compensable action, never the requester',
      { action: action({ kind: 'local.rollback', reversibility: 'compensable' }) },
      { decide: 'ask', asking: { rule: 'local-other', needed: 1, requesterMayApprove: false } },
    ],
    [
      'asks two people to type for an irreversible action',
      { action: action({ kind: 'local.wipe', reversibility: 'irreversible', minNeeded: 2 }) },
      { decide: 'ask', asking: { rule: 'local-other', needed: 2, typed: true, requesterMayApprove: false, ttlSeconds: 600 } },
    ],
    [
      'denies another provider',
      { action: action({ kind: 'k8s.restart' }) },
      { decide: 'deny', code: 'policy-denied', rule: 'everything-else' },
    ],
    ['denies another environment', { environment: 'prod' }, { decide: 'deny', code: 'policy-denied', rule: 'everything-else' }],
    [
      'lets a lone on-call person approve their own reversible action',
      { requester: 'alice', holders: () => ['alice'] },
      { decide: 'ask', asking: { requesterMayApprove: true } },
    ],
    [
      'lets nobody alone approve their own compensable action',
      { requester: 'alice', holders: () => ['alice'], action: action({ reversibility: 'compensable' }) },
      { decide: 'deny', code: 'nobody-may-approve' },
    ],
  ])('%s', (_, said, decision) => {
    expect(evaluate(builtIn, facts(said))).toMatchObject(decision)
  })
})

describe('rules', () => {
  it('the first that matches decides', () => {
    const decided = policy({ when: { severity: [1, 2] }, needed: 2 }, { needed: 1 }, { decide: 'deny' })
    expect(evaluate(decided, facts())).toMatchObject({ asking: { rule: 'rule-0', needed: 2 } })
    expect(evaluate(decided, facts({ severity: 3 }))).toMatchObject({ asking: { rule: 'rule-1', needed: 1 } })
  })

  it('that match nothing deny', () => {
    expect(evaluate(policy(), facts())).toEqual({
      decide: 'deny',
      code: 'policy-denied',
      rule: null,
      reasons: ['no rule of the policy matches, and what no rule asks for is denied'],
    })
    expect(evaluate(policy({ when: { environment: 'prod' } }), facts())).toMatchObject({ decide: 'deny', rule: null })
  })

  it.each([
    [{ action: 'local.*' }, true],
    [{ action: ['k8s.*', 'local.restart'] }, true],
    [{ action: 'local' }, false],
    [{ environment: 'loc*' }, true],
    [{ environment: 'local', service: 'check*' }, false],
    [{ service: '*ment*' }, true],
    [{ severity: [2, 3] }, false],
    [{ reversibility: ['compensable', 'reversible'] }, true],
    [{ reversibility: 'irreversible' }, false],
  ])('match by all of %j: %j', (when, matches) => {
    expect(evaluate(policy({ when }), facts()).decide).toBe(matches ? 'ask' : 'deny')
  })

  it('say why they deny', () => {
    expect(evaluate(policy({ decide: 'deny', reason: 'not on Fridays' }), facts())).toMatchObject({ reasons: ['not on Fridays'] })
    expect(evaluate(policy({ decide: 'deny' }), facts())).toMatchObject({ reasons: ['the rule "rule-0" denies it'] })
  })

  it('never loosen what the action needs', () => {
    const strict = action({
      role: 'admin',
      minNeeded: 3,
      requesterMayApprove: false,
      stepUp: 'typed',
      maxTtlSeconds: 120,
      minCooldownSeconds: 900,
    })
    const loose = policy({ role: 'approver', needed: 1, requesterMayApprove: true, ttlMinutes: 60, cooldownSeconds: 0, confirm: 'none' })
    expect(evaluate(loose, facts({ action: strict, holders: () => ['a', 'b', 'c'] }))).toEqual({
      decide: 'ask',
      asking: { rule: 'rule-0', role: 'admin', needed: 3, requesterMayApprove: false, ttlSeconds: 120, cooldownSeconds: 900, typed: true },
      reasons: ['the rule "rule-0" asks 3 people with the role admin; the action is reversible', 'the name of the target has to be typed'],
    })
  })
})

describe('gates', () => {
  it.each<[string, Partial<PolicyFacts>, object]>([
    ['an empty approver table', { holders: () => [] }, { code: 'nobody-may-approve', reasons: ['nobody who may approve is left'] }],
    [
      'too few approvers',
      { action: action({ minNeeded: 3 }) },
      { code: 'nobody-may-approve', reasons: ['3 people have to approve and only 2 may'] },
    ],
    ['one person with two roles', { action: action({ minNeeded: 2 }), holders: () => ['alice', 'alice'] }, { code: 'nobody-may-approve' }],
    [
      'what can wait, of people who were asked too often',
      { hurried: ['carol', 'alice'] },
      { code: 'asked-too-often', reasons: ['6 requests of the last hour are the most that can be read well'] },
    ],
    [
      'what can wait, of two when one of them was asked too often',
      { action: action({ minNeeded: 2 }), hurried: ['alice'] },
      { code: 'asked-too-often' },
    ],
    [
      'a diagnosis on one leg',
      { gates: { ...facts().gates, corroborated: false } },
      { code: 'policy-denied', reasons: ['the diagnosis rests on one source, or only on text that outsiders can write'] },
    ],
    [
      'a tenth of a large fleet',
      { gates: { ...facts().gates, replicas: 4, fleet: 39 } },
      { code: 'policy-denied', reasons: ['4 of 39 replicas are more than 10 % of the fleet'] },
    ],
    ['a fleet of unknown size', { gates: { ...facts().gates, fleet: null } }, { code: 'policy-denied' }],
    [
      'more than twice the replicas',
      { gates: { ...facts().gates, replicas: 2, wantedReplicas: 5 } },
      { code: 'policy-denied', reasons: ['5 replicas are more than 2 times the 2 there are'] },
    ],
  ])('refuse %s', (_, said, refusal) => {
    expect(evaluate(policy({}), facts(said))).toMatchObject({ decide: 'deny', ...refusal })
  })

  it.each<[string, Partial<PolicyFacts>]>([
    ['exactly a tenth', { gates: { ...facts().gates, replicas: 4, fleet: 40 } }],
    ['all of a small fleet', { gates: { ...facts().gates, replicas: 20, fleet: 20 } }],
    ['twice the replicas', { gates: { ...facts().gates, replicas: 2, wantedReplicas: 4 } }],
    ['two from none', { gates: { ...facts().gates, replicas: 0, wantedReplicas: 2 } }],
    ['what can wait, while one who may was not asked too often', { hurried: ['alice', 'zoe'] }],
    ['what a person named, whatever the diagnosis', { requester: 'bob', gates: { ...facts().gates, corroborated: null } }],
  ])('let pass %s', (_, said) => {
    expect(evaluate(policy({}), facts(said)).decide).toBe('ask')
  })
})

it('whatever the rules and the facts: an ask always needs people who are there, and irreversible always two, typed, within ten minutes', () => {
  const someRule = fc.record({
    needed: fc.integer({ min: 1, max: 5 }),
    requesterMayApprove: fc.boolean(),
    ttlMinutes: fc.integer({ min: 1, max: 60 }),
    confirm: fc.constantFrom('none', 'target'),
    role: fc.constantFrom('approver', 'admin'),
  })
  const reversibility = fc.constantFrom<ActionBounds['reversibility'][]>('reversible', 'compensable', 'irreversible')
  fc.assert(
    fc.property(
      someRule,
      reversibility,
      fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd')),
      fc.option(fc.constantFrom('a', 'b')),
      fc.boolean(),
      (rule, kind, people, requester, own) => {
        const decision = evaluate(
          policy(rule),
          facts({ action: action({ reversibility: kind, requesterMayApprove: own }), holders: () => people, requester }),
        )
        if (decision.decide === 'deny') return
        const { needed, requesterMayApprove, typed, ttlSeconds } = decision.asking
        const eligible = people.filter((person) => requesterMayApprove || person !== requester)
        expect(eligible.length).toBeGreaterThanOrEqual(needed)
        if (requesterMayApprove) expect([rule.requesterMayApprove, own, kind]).toEqual([true, true, 'reversible'])
        if (kind === 'irreversible') expect([needed >= 2, typed, ttlSeconds <= 600]).toEqual([true, true, true])
      },
    ),
  )
})

describe('patterns', () => {
  it.each([
    ['*', '', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['**', 'x', true],
    ['a.c', 'abc', false],
    ['ab', 'abc', false],
    ['*b*b', 'ab', false],
  ])('%j on %j: %j', (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches)
  })

  it('mean what a regular expression would', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    fc.assert(
      fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
      }),
    )
  })
})
