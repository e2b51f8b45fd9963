import type { z } from 'zod'
import type { NewEvidence } from '../domain/evidence.ts'
import type { DataKind } from '../domain/model-data.ts'

/** All that a tool can reach: read-only questions, each already bound to the incident's environment, services and window. */
export interface Reader {
  metrics(service: string): Promise<NewEvidence[]>
  logs(service: string): Promise<NewEvidence[]>
  traces(service: string): Promise<NewEvidence[]>
  /** One trace in which the service took part. */
  trace(service: string, id: string): Promise<NewEvidence[]>
  changes(): Promise<NewEvidence[]>
  workload(service: string): Promise<NewEvidence[]>
  dependencies(): Promise<NewEvidence[]>
  runbooks(words: string): Promise<NewEvidence[]>
}

/** What one call came to: new results that are stored, a stored one that is shown, or why there is nothing. */
export type Found =
  | { result: 'read'; evidence: readonly NewEvidence[] }
  | { result: 'stored'; label: string }
  | { result: 'denied'; words: string }

/** A read-only question that a model may ask. There are no others: what acts is not reachable from here. */
export interface Tool {
  name: string
  /** The kind of data it answers with; it is offered only to providers that may have it. Null: what is stored already. */
  kind: DataKind | null
  /** JSON Schema is made of it, and each call's input is checked by it. */
  input: z.ZodType
  /** Milliseconds it may take, where that is more than usual. */
  timeoutMs?: number
  run(input: unknown, scope: ToolScope): Promise<Found>
}

export interface ToolScope {
  read: Reader
  /** Nothing is told of any other service. */
  services: readonly string[]
}

/** A tool whose input is what its schema says. */
export function defineTool<Input>(tool: {
  name: string
  kind: DataKind | null
  input: z.ZodType<Input>
  run(input: Input, scope: ToolScope): Promise<Found>
}): Tool {
  return { ...tool, run: async (input, scope) => await tool.run(tool.input.parse(input), scope) }
}

/** The named service when it is in scope, else why it is not answered. */
export async function ofService(
  { services }: ToolScope,
  service: string,
  ask: (service: string) => Promise<NewEvidence[]>,
): Promise<Found> {
  const known = services.find((each) => each === service)
  if (known === undefined) return { result: 'denied', words: 'That service is not part of this incident.' }
  return { result: 'read', evidence: await ask(known) }
}
