/** The browser's modules that hold no document, as the tests use them. */
export type Tree = { tag: string; attrs: Record<string, string>; key: string | null; children: Tree[] } | string

export interface BlockContext {
  origin: string
  now: Date
  busy?: boolean
  hideActions?: boolean
  afterActions?: (ref: string) => Tree[]
}

export interface ConsoleModules {
  viewOfBlocks(blocks: readonly object[], context: BlockContext): Tree[]
  digestOnCard(blocks: readonly object[]): string | null
  link(url: string, text: string, context: Pick<BlockContext, 'origin'>): Tree
  textOf(trees: readonly Tree[]): string
  h(tag: string, attrs: Record<string, unknown> | null, ...children: unknown[]): Tree
  parseMrkdwn(source: string): { type: string; text: string; url?: string }[]
  parseRoute(hash: string): { page: string; id: string; focus: string }
  incidentHash(id: string, focus?: string): string
  countdown(until: Date, now: Date): string
  age(since: Date, now: Date): string
  shownDigest(state: { incident: { data: unknown; approvals: Map<string, unknown> } }, id: string): string | null
  approvalTone(approval: unknown): string
  contentView(content: unknown, now: Date): Tree[]
  stateTone(state: string): string
  stateWords(state: string): string
  approvalMark(approval: unknown): string
  panelsStillTrue(panels: Record<string, object>, approvals: ReadonlyMap<string, object>): Record<string, object>
  roundsOf(evidence: readonly object[]): { latest: { label: string }; earlier: { label: string }[] }[]
  evidenceSection(incident: object, focus: string, context: { origin: string; now: Date; wide: boolean }): Tree
  traceSection(incident: object, trace: object): Tree | null
  alertsSection(incident: object, context: { origin: string; now: Date }): Tree | null
  layOut(
    names: readonly string[],
    edges: readonly { from: string; to: string }[],
  ): {
    places: { name: string; layer: number; x: number; y: number }[]
    lines: { from: string; to: string; line: string }[]
    width: number
    height: number
  }
  BOX: { width: number; height: number }
  servicesView(state: object): Tree[]
  recordsView(state: object, context: { now: Date }): Tree[]
  seconds(value: number): string
  firstState(): object
  shellView(state: object, context: { origin: string; now: Date }, content: Tree[]): Tree[]
}

const MODULES = [
  'blocks',
  'tree',
  'mrkdwn',
  'route',
  'time',
  'voting',
  'words',
  'incident-aside',
  'shell-view',
  'panels',
  'evidence-content',
  'service-graph',
  'services-view',
  'records-view',
  'trace-view',
  'state',
]

/** Loads them as the browser would, file by file; none of them touches a document when it is loaded. */
export async function loadConsoleModules(): Promise<ConsoleModules> {
  const folder = new URL('../../bot/console/static/', import.meta.url)
  const loaded: object[] = await Promise.all(MODULES.map((name) => import(new URL(`${name}.js`, folder).href)))
  return Object.assign({}, ...loaded) as ConsoleModules
}

/** Every element of the trees. */
export function elementsOf(trees: readonly Tree[]): Exclude<Tree, string>[] {
  return trees.flatMap((tree) => (typeof tree === 'string' ? [] : [tree, ...elementsOf(tree.children)]))
}
