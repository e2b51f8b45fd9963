import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, ROOT_CONTEXT, type Span, SpanStatusCode, trace as traces } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, TracerProvider, type TracerProviderOptions } from '@opentelemetry/sdk-trace'
import type { SpanAttributes, SpanName, Trace } from '../../agent/trace.ts'
import type { OpenTrace } from './open.ts'
import type { TraceSettings } from './settings.ts'

/** What waits for the collector; when more comes, it is left out, and the work goes on. */
const MOST_WAITING = 2_048
const MOST_AT_ONCE = 256
const SEND_EVERY_MS = 2_000
const SEND_TIMEOUT_MS = 5_000
const SENDS_AT_ONCE = 2
/** What a process that is told to stop waits for a collector at most. */
const CLOSE_MS = 1_000
const LONGEST_VALUE = 200

/** Tells a collector. Whatever goes wrong there is the collector's loss alone: nothing here throws, and nothing waits for it. */
export function openOtlpTrace({ endpoint, headers }: TraceSettings, { version, role }: { version: string; role: string }): OpenTrace {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: SEND_TIMEOUT_MS,
    concurrencyLimit: SENDS_AT_ONCE,
  })
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MOST_WAITING,
    maxExportBatchSize: MOST_AT_ONCE,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: SEND_TIMEOUT_MS,
  })
  const provider = new TracerProvider({
    resource: resourceOf({ 'service.name': 'steadyhand', 'service.version': version, 'steadyhand.role': role }),
    spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('steadyhand', version)
  const under = new AsyncLocalStorage<Context>()
  const span: Trace['span'] = async (name, attributes, work, outcome) => {
    const parent = under.getStore() ?? ROOT_CONTEXT
    const own = tracer.startSpan(titleOf(name), { attributes: named(attributes) }, parent)
    try {
      const value = await under.run(traces.setSpan(parent, own), work)
      if (outcome) own.setAttributes(named(outcome(value)))
      return value
    } catch (error) {
      fail(own, error)
      throw error
    } finally {
      own.end()
    }
  }
  return {
    trace: {
      span,
      part: (name, attributes, work, outcome) => (under.getStore() ? span(name, attributes, work, outcome) : work()),
    },
    async close() {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, CLOSE_MS)
      await Promise.race([provider.shutdown().catch(() => {}), late.promise])
      clearTimeout(timer)
    },
  }
}

const titleOf = (name: SpanName): string => `steadyhand.${name}`

function named(attributes: SpanAttributes): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`steadyhand.${name}`, value]))
}

/** The kind of a fault and its code; its words may come from anywhere. */
function fail(own: Span, error: unknown): void {
  own.setStatus({ code: SpanStatusCode.ERROR })
  if (!(error instanceof Error)) return
  own.setAttribute('error.type', error.name)
  if ('code' in error && typeof error.code === 'string') own.setAttribute('steadyhand.code', error.code)
}

/** The SDK looks for nothing on this machine: what is told of the process is this and no more. */
function resourceOf(attributes: Record<string, string>): NonNullable<TracerProviderOptions['resource']> {
  const resource: NonNullable<TracerProviderOptions['resource']> = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  }
  return resource
}
