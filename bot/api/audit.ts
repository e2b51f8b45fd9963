import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import type { AuditEntry } from '../../agent/ports.ts'
import { auditWords } from '../messages/audit-words.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { listOf, pageQuerySchema, readPage } from './lists.ts'
import { timeSchema } from './shapes.ts'

export interface AuditApiDeps {
  agent: Pick<Agent, 'audit' | 'recentAudit'>
}

const entrySchema = z.object({
  seq: z.int().min(1),
  at: timeSchema,
  actor: z.string(),
  what: z.string(),
  body: z.record(z.string(), z.unknown()),
  hash: z.string(),
  /** What was done, in words that follow the actor's name; with the incident and the request it was about, read from the rows of now. */
  words: z.string(),
  incident: z.string().nullable(),
  approval: z.string().nullable(),
})
export const reportSchema = z.object({ ok: z.boolean(), violations: z.array(z.string()), entries: z.int().min(0), head: z.string() })
/** `at`: when it was looked at. */
export const recentReportSchema = reportSchema.extend({ at: timeSchema })

const AUDIT = { name: 'audit', cursor: /^\d{1,15}$/ }

export function auditEndpoints({ agent }: AuditApiDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/audit',
      name: 'listAudit',
      summary: 'The audit chain: who did what, each entry sealed by the hash of the one before.',
      access: 'caller',
      query: pageQuerySchema,
      answers: { 200: { words: 'One page of entries.', schema: listOf(entrySchema) } },
      problems: ['invalid-query', 'invalid-cursor'],
      async handle({ query }) {
        const { items, next } = await readPage(AUDIT, query, (from) => agent.audit.entries(from))
        const subjects = new Map((await agent.audit.subjects(items.map(({ seq }) => seq))).map((subject) => [subject.seq, subject]))
        const show = (entry: AuditEntry) => {
          const about = subjects.get(entry.seq) ?? null
          const told = { words: auditWords(entry, about), incident: about?.incidentId ?? null, approval: about?.requestId ?? null }
          return { ...entry, at: entry.at.toISOString(), ...told }
        }
        return { body: { items: items.map(show), next } }
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/audit/verify',
      name: 'verifyAudit',
      summary:
        'Recomputes the chain from its first entry and checks every promise about votes and executions; whoever asks more than a few times a minute is told again what was found last.',
      access: 'caller',
      answers: { 200: { words: 'What was found; `ok` is false when anything is not as it should be.', schema: recentReportSchema } },
      async handle() {
        const { ok, violations, entries, head, at } = await agent.recentAudit()
        return { body: { ok, violations, entries, head, at: at.toISOString() } }
      },
    }),
  ]
}
