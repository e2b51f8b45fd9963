import { type AstNode, type Source, visit } from './source.ts'

export type SizeFigures = {
  readonly name: string
  readonly count: number
  readonly median: number
  readonly p90: number
  readonly largest: string
}

type Sized = { readonly label: string; readonly lines: number }

const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']

/** Lines of each file and of each function that is longer than one line, by top-level folder. */
export function sizeFigures(sources: readonly Source[]): SizeFigures[] {
  const folders = [...new Set(sources.map(({ path }) => path.split('/')[0] ?? ''))]
  return folders.flatMap((folder) => {
    const inside = sources.filter(({ path }) => path.startsWith(`${folder}/`))
    const files = inside.map((source) => ({ label: source.path, lines: lineCount(source.text) }))
    return [figures(`${folder} files`, files), figures(`${folder} functions`, inside.flatMap(functionSizes))]
  })
}

export function lineCount(text: string): number {
  return text.replace(/\n$/, '').split('\n').length
}

function functionSizes(source: Source): Sized[] {
  const sizes: Sized[] = []
  visit(source.program, (node: AstNode) => {
    if (!FUNCTIONS.includes(node.type)) return
    const lines = lineCount(source.text.slice(node.start, node.end))
    if (lines > 1) sizes.push({ label: `${source.path}:${lineCount(source.text.slice(0, node.start))}`, lines })
  })
  return sizes
}

function figures(name: string, sized: readonly Sized[]): SizeFigures {
  const sorted = [...sized].sort((a, b) => a.lines - b.lines)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.lines ?? 0
  const largest = sorted.at(-1)
  return { name, count: sorted.length, median: at(0.5), p90: at(0.9), largest: largest ? `${largest.lines} ${largest.label}` : '' }
}
