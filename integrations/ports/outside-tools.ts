import type { DataKind } from '../../agent/domain/model-data.ts'

/** What a server of somebody else answered: text of others, which nobody here wrote or checked. */
export interface OutsideAnswer {
  /** At most 20,000 characters. */
  text: string
  /** Characters beyond that, which were not read. */
  omitted: number
  /** Parts that are no text (pictures, sounds, files, links): they are not read. */
  unread: number
  /** The server says itself that it could not answer. */
  failed: boolean
}

/** A read-only tool of somebody else's server, exactly as an engineer reviewed it. */
export interface OutsideTool {
  /** What a model calls it: begins with `mcp_`, which no tool of our own does; at most 64 letters, digits, dashes and underscores. */
  name: string
  /** What its server calls it. */
  calledThere: string
  /** The server's words for it. */
  description: string
  /** JSON Schema of its input: closed, without references, of keywords that are checked before anything is sent. */
  input: Readonly<Record<string, unknown>>
  /** Looks again whether it is as it was reviewed, and asks once. @throws IntegrationError */
  ask(input: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<OutsideAnswer>
}

/** What a server offers at this moment, of that which was reviewed. */
export interface OutsideOffer {
  tools: readonly OutsideTool[]
  /** Why a reviewed tool is not offered and what to do about it, one sentence each. */
  withheld: readonly string[]
  /** Names of tools that nobody reviewed, as their server calls them. */
  unreviewed: readonly string[]
}

/** Tools of one server. */
export interface OutsideToolsPort {
  /** What its answers are, for who may be told them and who may read them. */
  kind: DataKind
  /** Where teams are kept apart: the workspaces in whose incidents it may be asked. */
  workspaces: readonly string[]
  /** Never throws for the server's sake: one that cannot be asked offers nothing, and says why. */
  offer(signal: AbortSignal): Promise<OutsideOffer>
}
