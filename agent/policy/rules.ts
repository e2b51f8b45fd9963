import { z } from 'zod'
import { digestOf } from '../domain/canonical-json.ts'
import { issueWords } from '../domain/issue-words.ts'
import { nearest } from '../domain/nearest.ts'

const RULE_NAME = /^[a-z0-9][a-z0-9-]{0,79}$/
/** A name, or a pattern in which `*` stands for any characters. */
const pattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s]+$/, 'has no spaces')
const patterns = z.union([pattern.transform((one) => [one]), z.array(pattern).min(1).max(50)])
const severity = z.int().min(1).max(4)
const severities = z.union([severity.transform((one) => [one]), z.array(severity).min(1).max(4)])
const reversibility = z.enum(['reversible', 'compensable', 'irreversible'])
const reversibilities = z.union([reversibility.transform((one) => [one]), z.array(reversibility).min(1).max(3)])

/** All conditions that are given have to hold; one that is left out holds always. */
const whenSchema = z.strictObject({
  action: patterns.optional(),
  environment: patterns.optional(),
  service: patterns.optional(),
  severity: severities.optional(),
  reversibility: reversibilities.optional(),
})

const name = z.string().regex(RULE_NAME, 'is lower case letters, digits and dashes, at most 80')

const askSchema = z.strictObject({
  name,
  when: whenSchema,
  decide: z.literal('ask'),
  role: z.enum(['approver', 'admin']).default('approver'),
  /** People who have to approve. */
  needed: z.int().min(1).max(5).default(1),
  requesterMayApprove: z.boolean().default(false),
  ttlMinutes: z.number().min(0.5).max(60).default(15),
  cooldownSeconds: z.int().min(0).max(86_400).default(60),
  /** `target`: the name of the target has to be typed. */
  confirm: z.enum(['none', 'target']).default('none'),
})

const denySchema = z.strictObject({
  name,
  when: whenSchema,
  decide: z.literal('deny'),
  /** Shown to people. */
  reason: z.string().min(1).max(300).optional(),
})

export const ruleSchema = z.discriminatedUnion('decide', [askSchema, denySchema])
export type Rule = z.infer<typeof ruleSchema>
export type AskRule = z.infer<typeof askSchema>

export const policySchema = z.strictObject({
  version: z.literal(1),
  /** The first rule that matches decides; where none does, the answer is no. */
  rules: z.array(ruleSchema).max(200),
})
export type Policy = z.infer<typeof policySchema>

export type ParsedPolicy = { ok: true; policy: Policy } | { ok: false; problems: string[] }

/** Reads a policy file that YAML made a value of. Problems are one line each, with the place and, for an unknown key, what may be meant. */
export function parsePolicy(value: unknown): ParsedPolicy {
  if (value === null || value === undefined) return { ok: false, problems: ['the policy file is empty; it needs "version: 1" and "rules"'] }
  const parsed = policySchema.safeParse(value, { error: issueWords })
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsOf) }
  const names = parsed.data.rules.map((rule) => rule.name)
  const doubled = [...new Set(names.filter((each, i) => names.indexOf(each) !== i))]
  if (doubled.length > 0)
    return { ok: false, problems: doubled.map((each) => `two rules are named "${each}"; cards name the rule that decided`) }
  return { ok: true, policy: parsed.data }
}

/** Which policy decided, for the plan's build: SHA-256 of the file as it was read. */
export function policyDigest(text: string): string {
  return digestOf(text)
}

/** The keys that each part of the file knows, for suggestions. */
const KNOWN_KEYS = {
  file: Object.keys(policySchema.shape),
  rule: [...new Set([...Object.keys(askSchema.shape), ...Object.keys(denySchema.shape)])],
  when: Object.keys(whenSchema.shape),
}

type Issue = z.core.$ZodIssue

function problemsOf(issue: Issue): string[] {
  const place =
    issue.path.length === 0 ? 'the file' : issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : String(part))).join('.')
  if (issue.code !== 'unrecognized_keys') return [`${place}: ${issue.message}`]
  const known = issue.path.includes('when') ? KNOWN_KEYS.when : issue.path.length === 0 ? KNOWN_KEYS.file : KNOWN_KEYS.rule
  return issue.keys.map((key) => {
    const meant = nearest(key, known)
    return `${place}: unknown key "${key}"; ${meant === null ? `known are ${known.join(', ')}` : `did you mean "${meant}"?`}`
  })
}
