import { z } from 'zod'
import { defineTool, ofService } from './define-tool.ts'

export const describeWorkload = defineTool({
  name: 'describe_workload',
  kind: 'workloads',
  input: z.strictObject({ service: z.string().max(200) }),
  run: async ({ service }, scope) => await ofService(scope, service, scope.read.workload),
})
