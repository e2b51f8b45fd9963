import { z } from 'zod'
import { defineTool } from './define-tool.ts'

export const showDependencies = defineTool({
  name: 'show_dependencies',
  kind: 'topology',
  input: z.strictObject({}),
  run: async (_input, { read }) => ({ result: 'read', evidence: await read.dependencies() }),
})
