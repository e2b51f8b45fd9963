import { readFileSync } from 'node:fs'
import { z } from 'zod'

const FOLDER = new URL('../prompts/', import.meta.url)
const FRONT_MATTER = /^---\nid: (\S+)\nversion: (\d+)\n---\n/
const PLACE = /\{\{(\w+)\}\}/g

const headSchema = z.object({ id: z.string(), version: z.coerce.number().int().min(1) })

/** A text for a model, as it is written in prompts/: words with places for values, and no logic. */
export interface Prompt {
  /** With its version in rows and tests: another wording is another version. */
  id: string
  version: number
  render(values: Readonly<Record<string, string>>): string
}

/** @throws Error when there is no such prompt, or its head is not `id` and `version` */
export function loadPrompt(name: string): Prompt {
  const text = readFileSync(new URL(`${name}.md`, FOLDER), 'utf8')
  const [head, id, version] = FRONT_MATTER.exec(text) ?? []
  if (head === undefined) throw new Error(`the prompt ${name} does not begin with its id and version`)
  const body = text.slice(head.length).trim()
  return { ...headSchema.parse({ id, version }), render: (values) => fill(name, body, values) }
}

/** Values are put in as they are and never read for places of their own. @throws Error when a value is missing or has no place */
function fill(name: string, body: string, values: Readonly<Record<string, string>>): string {
  const places = new Set([...body.matchAll(PLACE)].map(([, place = '']) => place))
  const odd = [...new Set([...places, ...Object.keys(values)])].filter((place) => !places.has(place) || !Object.hasOwn(values, place))
  if (odd.length > 0) throw new Error(`the prompt ${name} and its values differ in ${odd.join(', ')}`)
  return body.replace(PLACE, (_, place: string) => values[place] ?? '')
}
