import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Plan, planSchema, sealPlan } from '../../../agent/domain/plan.ts'
import { linesOf } from '../../../bot/messages/card-size.ts'
import { fitsOnCard, planFacts, RENDER_VERSION, renderHash } from '../../../bot/messages/plan-facts.ts'
import { plainOf } from '../../../bot/messages/span.ts'
import { aPlan } from '../../support/builders.ts'
import { everyChange } from '../../support/plan-changes.ts'

const textOf = (plan: Plan): string => planFacts(plan).flatMap(linesOf).map(plainOf).join('\n')

/** How the pinned plan looks by each version of the rendering: when the look changes, the version goes up and a line is added. */
const PINNED_HASHES: Readonly<Record<number, string>> = {
  1: 'fe3cbc0c4e2db464a4de1fff84d1a0b3a67158b6beaa1ad08167454bc8316247',
  2: '9b283ed3e9b1c14b7411940577301c5ca5c014b44063b661efe0946da5b88e6a',
}

/** With every field that a plan may leave out. */
const WITH_ALL = aPlan({ cautions: ['It was tried.'], blastRadius: { ...aPlan().blastRadius, moreDependents: 3 } })

describe('the facts of a plan', () => {
  test('look as the number of their rendering says', () => {
    const pinned = planSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'pinned-plan.json'), 'utf8')))
    expect(renderHash(pinned)).toBe(PINNED_HASHES[RENDER_VERSION])
    expect(new Set(Object.values(PINNED_HASHES)).size).toBe(RENDER_VERSION)
  })

  test('say in plain words when it runs, before how it is undone', () => {
    const words = textOf(aPlan())
    expect(words).toContain('Runs only if, at that moment\nerrors of payments are still above 20 %\nversion is still v42')
    expect(words.indexOf('Runs only if')).toBeLessThan(words.indexOf('If it fails'))
    const symptom = { service: 'payments', metric: 'memory_used_ratio', comparator: '<=', threshold: '0.85', unit: 'ratio' } as const
    expect(textOf(aPlan({ symptom }))).toContain('memory used of payments is still above 85 %')
    const few = { ...symptom, metric: 'replicas_ready', comparator: '>=', threshold: '2', unit: '' } as const
    expect(textOf(aPlan({ symptom: few }))).toContain('ready replicas of payments are still below 2')
  })

  test.each([
    ['caution', 'compensable', true, 'medium; can be put back'],
    ['safe', 'reversible', true, 'safe; can be put back exactly'],
    ['safe', 'reversible', false, 'safe; nothing to put back'],
    ['caution', 'compensable', false, 'medium; could be put back by hand only'],
    ['caution', 'irreversible', false, 'medium; cannot be put back'],
  ] as const)('a risk of %s, %s (undo: %s) is "%s"', (risk, reversibility, hasUndo, words) => {
    expect(textOf(aPlan({ risk, reversibility, undo: hasUndo ? aPlan().undo : null }))).toContain(`Risk${words}\n`)
  })

  test('name processes instead of the platform’s fields', () => {
    const state = [{ field: 'updatedReplicas', equals: 2 }]
    expect(textOf(aPlan({ success: { ...aPlan().success, state } }))).toContain('new processes ready: 2')
  })

  test('speak of an asker only when somebody asked', () => {
    expect(textOf(aPlan())).not.toContain('the asker')
    expect(textOf(aPlan({ requester: 'alice' }))).toContain('asked for by alice; the asker may not approve')
  })

  test('are the same for the same canonical bytes, however the plan was put together', () => {
    const plan = aPlan({ parameters: { version: 'v41', drain: true, wait: 5 } })
    const read = planSchema.parse(JSON.parse(sealPlan(plan).canonical))
    expect(Object.keys(read.parameters)).not.toEqual(Object.keys(plan.parameters))
    expect(planFacts(read)).toEqual(planFacts(plan))
    expect(renderHash(read)).toBe(renderHash(plan))
  })

  test.each(everyChange(WITH_ALL))('look different when %s differs', (_path, changed) => {
    expect(sealPlan(changed).digest).not.toBe(sealPlan(WITH_ALL).digest)
    expect(textOf(changed)).not.toBe(textOf(WITH_ALL))
    expect(renderHash(changed)).not.toBe(renderHash(WITH_ALL))
  })

  test('say what speaks against it, where something does', () => {
    const words = textOf(aPlan({ cautions: ['"Roll back" took version v42 away, and that helped.'] }))
    expect(words).toContain('Mind\n"Roll back" took version v42 away, and that helped.')
    expect(textOf(aPlan())).not.toContain('Mind')
  })

  test.each([
    [[], undefined, 'nothing known depends on it'],
    [['checkout'], undefined, 'used by checkout'],
    [['checkout', 'mail'], 290, 'used by checkout, mail and 290 more, 292 services in all'],
    [[], 1, 'used by 1 service, not named here'],
  ])('say who uses it (%j and %j more): %s', (dependents, moreDependents, words) => {
    const more = moreDependents === undefined ? {} : { moreDependents }
    expect(textOf(aPlan({ blastRadius: { ...aPlan().blastRadius, dependents, ...more } }))).toContain(`; ${words}\n`)
  })

  test('say how to get back, or that there is no way back', () => {
    expect(textOf(aPlan())).toContain('If it fails: Put payments back to v42, by itself after 60 s, unless somebody presses Keep.')
    expect(textOf(aPlan({ undo: null }))).toContain('If it fails: there is no undo for this action.')
  })

  test('say who asked, who may and what has to be typed', () => {
    const approval = { role: 'approver', needed: 2, requesterMayApprove: true, confirm: 'payments', rule: 'two' } as const
    const words = textOf(aPlan({ requester: 'alice', approval }))
    expect(words).toContain('needs 2 people with the role approver, payments has to be typed; asked for by alice; the asker may approve')
  })

  test('show look-alike letters of a name as code points', () => {
    const target = { ...aPlan().target, name: 'p\u0430yments' }
    expect(textOf(aPlan({ target }))).toContain('p[U+0430]yments · service in local')
  })
})

describe('what fits on a card', () => {
  test('an everyday plan does', () => expect(fitsOnCard(aPlan())).toBe(true))

  test.each<[string, Partial<Plan>]>([
    ['very long values', { parameters: { note: 'x'.repeat(500), more: 'y'.repeat(500), most: 'z'.repeat(500), yet: 'w'.repeat(500) } }],
    [
      'fifty long dependents',
      { blastRadius: { ...aPlan().blastRadius, dependents: Array.from({ length: 50 }, (_, n) => `${n}${'d'.repeat(190)}`) } },
    ],
    [
      'twelve long changes',
      { changes: Array.from({ length: 12 }, (_, n) => ({ field: `f${n}`, from: 'a'.repeat(500), to: 'b'.repeat(500) })) },
    ],
    ['values that grow when they are escaped', { parameters: { a: '&'.repeat(400) } }],
  ])('a plan with %s does not', (_what, changed) => expect(fitsOnCard(aPlan(changed))).toBe(false))
})
