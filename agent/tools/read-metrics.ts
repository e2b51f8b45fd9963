import { z } from 'zod'
import { defineTool, ofService } from './define-tool.ts'

export const readMetrics = defineTool({
  name: 'read_metrics',
  kind: 'metrics',
  input: z.strictObject({ service: z.string().max(200) }),
  run: async ({ service }, scope) => await ofService(scope, service, scope.read.metrics),
})
