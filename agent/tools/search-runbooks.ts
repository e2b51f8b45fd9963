import { z } from 'zod'
import { defineTool } from './define-tool.ts'

export const searchRunbooks = defineTool({
  name: 'search_runbooks',
  kind: 'runbooks',
  input: z.strictObject({ words: z.string().min(1).max(200) }),
  run: async ({ words }, { read }) => ({ result: 'read', evidence: await read.runbooks(words) }),
})
