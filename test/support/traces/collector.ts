import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

const attributesSchema = z
  .array(z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) }))
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? ''])))
const spanSchema = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: attributesSchema.default({}),
  status: z.object({ code: z.number().optional() }).default({}),
})
/** A request of OTLP over HTTP in JSON, as far as it is looked at. */
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({ resource: z.object({ attributes: attributesSchema }), scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })) }),
  ),
})
export type SeenSpan = z.infer<typeof spanSchema> & { resource: Record<string, string> }

export interface Collector {
  url: string
  spans: SeenSpan[]
  headers: IncomingHttpHeaders[]
  /** Everything that arrived, byte for byte. */
  text(): string
  close(): Promise<void>
}

/** A collector on loopback; `answer` is the status of every answer, null for none at all. */
export async function startCollector(answer: number | null = 200): Promise<Collector> {
  const spans: SeenSpan[] = []
  const headers: IncomingHttpHeaders[] = []
  let said = ''
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      said += body
      headers.push(request.headers)
      if (request.url === '/v1/traces' && answer === 200)
        for (const { resource, scopeSpans } of requestSchema.parse(JSON.parse(body)).resourceSpans)
          spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, resource: resource.attributes }))))
      if (answer !== null) response.writeHead(answer, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    text: () => said,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
