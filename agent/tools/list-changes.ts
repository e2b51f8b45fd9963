import { z } from 'zod'
import { defineTool } from './define-tool.ts'

export const listChanges = defineTool({
  name: 'list_changes',
  kind: 'changes',
  input: z.strictObject({}),
  run: async (_input, { read }) => ({ result: 'read', evidence: await read.changes() }),
})
