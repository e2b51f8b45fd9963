import { z } from 'zod'
import { defineTool } from './define-tool.ts'

export const openEvidence = defineTool({
  name: 'open_evidence',
  kind: null,
  input: z.strictObject({ label: z.string().regex(/^E\d{1,9}$/) }),
  run: async ({ label }) => ({ result: 'stored', label }),
})
