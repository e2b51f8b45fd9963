import { matchesGlob } from 'node:path'
import { vendorOf } from './import-table.ts'
import { type AstNode, type Source, visit } from './source.ts'

/** Files that list the surfaces of the product because the surfaces are a word of its domain, not because they know one. */
const SURFACE_LISTS = ['agent/domain/**', 'storage/migrations/**', 'storage/schema.ts']
const SURFACE_FOLDERS: Readonly<Record<string, string>> = { slack: 'bot/slack/**', teams: 'bot/teams/**' }

/** Vendors whose names are also everyday words here: only a path into their folder, or the name alone in quotes, counts. */
const EVERYDAY_WORDS = ['local', 'postgres', 'redis', 'smtp', 'teams', 'mcp']

/** @returns for each vendor and chat platform the files outside its folder that name it in code (not in comments) */
export function vendorSpread(sources: readonly Source[]): Map<string, string[]> {
  const vendors = new Set([...Object.keys(SURFACE_FOLDERS), ...sources.flatMap(({ path }) => vendorOf(path) ?? [])])
  const files = sources.map((source) => ({ path: source.path, words: wordsOf(source) }))
  return new Map(
    [...vendors].map((vendor) => {
      const own = SURFACE_FOLDERS[vendor] ?? `integrations/${vendor}/**`
      const exempt = vendor in SURFACE_FOLDERS ? [own, ...SURFACE_LISTS] : [own]
      const outside = files.filter(({ path }) => !exempt.some((glob) => matchesGlob(path, glob)))
      return [vendor, outside.filter(({ words }) => names(words, vendor)).map(({ path }) => path)]
    }),
  )
}

type Words = { readonly identifiers: string[]; readonly texts: string[] }

function wordsOf(source: Source): Words {
  const words: Words = { identifiers: [], texts: [] }
  visit(source.program, (node: AstNode) => {
    if (node.type === 'Identifier') words.identifiers.push(String(node['name']))
    if (node.type === 'Literal' && typeof node['value'] === 'string') words.texts.push(node['value'])
    if (node.type === 'TemplateElement') words.texts.push(source.text.slice(node.start, node.end))
  })
  return words
}

function names({ identifiers, texts }: Words, vendor: string): boolean {
  if (EVERYDAY_WORDS.includes(vendor))
    return texts.some((text) => text === vendor || (text.startsWith('.') && text.split('/').includes(vendor)))
  const name = vendor.replaceAll('-', '')
  return [...identifiers, ...texts].some((text) => runsOf(wordParts(text)).includes(name))
}

/** `createPagerDutyClient` and `PAGERDUTY_URL` become `create pager duty client` and `pagerduty url`. */
function wordParts(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

/** Each part alone and joined to the one or two that follow it. */
function runsOf(parts: readonly string[]): string[] {
  return parts.flatMap((_, at) => [1, 2, 3].map((length) => parts.slice(at, at + length).join('')))
}
