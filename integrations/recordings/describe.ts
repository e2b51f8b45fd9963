/** One line of `kubectl describe` with what is indented below it. */
export interface Section {
  key: string
  value: string
  /** The line without its indentation, for tables inside sections. */
  line: string
  children: Section[]
}

/** The described objects of one answer, each as its sections. */
export function readDescription(text: string): Section[][] {
  return text
    .split(/^(?=Name:)/m)
    .filter((part) => part.startsWith('Name:'))
    .map(sectionsOf)
}

function sectionsOf(text: string): Section[] {
  const root: Section[] = []
  const open: { indent: number; children: Section[] }[] = [{ indent: -1, children: root }]
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const indent = line.length - line.trimStart().length
    while (open.length > 1 && (open.at(-1)?.indent ?? -1) >= indent) open.pop()
    const [, key = '', value = ''] = /^([^:]+):(?:\s+(.*))?$/.exec(line.trim()) ?? [null, line.trim(), '']
    const section = { key, value: value.trim(), line: line.trim(), children: [] }
    open.at(-1)?.children.push(section)
    open.push({ indent, children: section.children })
  }
  return root
}

export function sectionNamed(sections: readonly Section[] | undefined, key: string): Section | undefined {
  return sections?.find((section) => section.key === key)
}

export function textOf(sections: readonly Section[] | undefined, key: string): string | null {
  const value = sectionNamed(sections, key)?.value
  return value === undefined || value === '' || value === '<none>' || value === '<unset>' ? null : value
}

/** Values that go on below their key, such as labels: the first beside it, the others indented far. */
export function valuesOf(sections: readonly Section[] | undefined, key: string): string[] {
  const section = sectionNamed(sections, key)
  if (!section) return []
  const below = section.children.flatMap(({ line, children }) => [line, ...children.map((child) => child.line)])
  return [section.value, ...below].filter((value) => value !== '' && value !== '<none>')
}
