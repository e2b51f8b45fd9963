import { z } from 'zod'
import { TRACE_ID } from '../../integrations/ports/traces.ts'
import { defineTool, ofService } from './define-tool.ts'

export const readTraces = defineTool({
  name: 'read_traces',
  kind: 'traces',
  input: z.strictObject({ service: z.string().max(200), trace: z.string().regex(TRACE_ID).optional() }),
  run: async ({ service, trace }, scope) =>
    await ofService(scope, service, (known) => (trace === undefined ? scope.read.traces(known) : scope.read.trace(known, trace))),
})
