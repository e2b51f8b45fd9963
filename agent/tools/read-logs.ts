import { z } from 'zod'
import { defineTool, ofService } from './define-tool.ts'

export const readLogs = defineTool({
  name: 'read_logs',
  kind: 'logs',
  input: z.strictObject({ service: z.string().max(200) }),
  run: async ({ service }, scope) => await ofService(scope, service, scope.read.logs),
})
