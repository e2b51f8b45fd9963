import { parse } from 'yaml'
import { z } from 'zod'
import { type FaultClass, isFaultClass } from '../domain/fault-classes.ts'
import type { RunbookChunk } from '../domain/runbook.ts'

const MAX_CHUNKS = 60
const MAX_BODY = 4_000
const MAX_NAME = 200
const MAX_LIST = 50

const names = z.array(z.string().trim().min(1).max(MAX_NAME)).max(MAX_LIST).default([])
const frontMatterSchema = z.object({
  title: z.string().trim().min(1).max(MAX_NAME).optional(),
  services: names,
  alerts: names,
  classes: names,
})
type FrontMatter = z.infer<typeof frontMatterSchema>

const NO_FRONT_MATTER: FrontMatter = { services: [], alerts: [], classes: [] }
const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/
const HEADING = /^(#{1,6})\s+(.+?)\s*#*\s*$/
const FENCE = /^\s*(```|~~~)/

/**
 * The parts of a runbook in Markdown, each from one heading to the next; the front matter (title, services, alerts, classes) is optional. Pure and
 * total: whatever the file holds, the result is bounded, and problems are told in words.
 */
export function readRunbook(file: string, text: string): { chunks: RunbookChunk[]; problems: string[] } {
  const { matter, body, problems } = splitFrontMatter(text.replace(/^\uFEFF/, ''))
  const sections = sectionsOf(body)
  const title = matter.title ?? sections.find(({ level }) => level === 1)?.heading ?? file.replace(/\.md$/i, '')
  const classes = matter.classes.filter(isFaultClass)
  const unknown = matter.classes.filter((name) => !isFaultClass(name))
  const anchors = new Map<string, number>()
  const chunks = sections
    .filter((section) => section.body !== '')
    .slice(0, MAX_CHUNKS)
    .map(({ heading, body: said }): RunbookChunk => {
      const about = { services: matter.services, alerts: matter.alerts, classes: classes as FaultClass[] }
      return {
        file,
        anchor: heading === '' ? '' : anchorOf(heading, anchors),
        title,
        heading: heading || title,
        body: said.slice(0, MAX_BODY),
        ...about,
      }
    })
  return { chunks, problems: [...problems, ...unknown.map((name) => `"${name.slice(0, 60)}" is no class of faults`)] }
}

function splitFrontMatter(text: string): { matter: FrontMatter; body: string; problems: string[] } {
  const [whole, yaml] = FRONT_MATTER.exec(text) ?? []
  if (whole === undefined || yaml === undefined) return { matter: NO_FRONT_MATTER, body: text, problems: [] }
  const body = text.slice(whole.length)
  try {
    const parsed = frontMatterSchema.safeParse(parse(yaml, { maxAliasCount: 0 }) ?? {})
    if (parsed.success) return { matter: parsed.data, body, problems: [] }
    const [issue] = parsed.error.issues
    return { matter: NO_FRONT_MATTER, body, problems: [`its front matter is left out: ${issue?.path.join('.')}: ${issue?.message}`] }
  } catch (error) {
    return {
      matter: NO_FRONT_MATTER,
      body,
      problems: [`its front matter is left out: ${error instanceof Error ? error.message.slice(0, 200) : 'no YAML'}`],
    }
  }
}

interface Section {
  level: number
  heading: string
  body: string
}

/** Lines with a # inside a fenced block are no headings. */
function sectionsOf(body: string): Section[] {
  const sections: { level: number; heading: string; lines: string[] }[] = [{ level: 0, heading: '', lines: [] }]
  let fenced = false
  for (const line of body.split(/\r?\n/)) {
    if (FENCE.test(line)) fenced = !fenced
    const [, marks, heading] = fenced ? [] : (HEADING.exec(line) ?? [])
    if (marks !== undefined && heading !== undefined) sections.push({ level: marks.length, heading: heading.slice(0, MAX_NAME), lines: [] })
    else sections.at(-1)?.lines.push(line)
  }
  return sections.map(({ level, heading, lines }) => ({ level, heading, body: lines.join('\n').trim() }))
}

/** As web pages of Markdown name them; a second heading of the same words gets a number. */
function anchorOf(heading: string, seen: Map<string, number>): string {
  const plain = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s+/g, '-')
  const times = seen.get(plain) ?? 0
  seen.set(plain, times + 1)
  return times === 0 ? plain : `${plain}-${times}`
}
