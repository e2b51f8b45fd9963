import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  type LineCounter,
  type YAMLError,
  type ErrorCode as YamlErrorCode,
} from 'yaml'

/** Something wrong in a YAML file: where, and what, in words that follow the place. */
export interface YamlProblem {
  /** The first line is 1; null where no line is to blame. */
  line: number | null
  words: string
}

/** What the parser's codes mean for whoever wrote the file; what is not named here is told in the parser's own words. */
const WORDS: Partial<Record<YamlErrorCode, string>> = {
  BAD_INDENT: 'the indentation does not fit the lines above: use the same number of spaces for keys that belong together',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on one line: put the value on a line of its own, or in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key without its colon: write KEY: VALUE',
  DUPLICATE_KEY: 'this key is there twice: keep one',
  TAB_AS_INDENT: 'a tab is no indentation in YAML: use spaces',
  MISSING_CHAR: 'something is missing here: a closing quote or bracket, a colon, or a space that the lines around it have before them',
  UNEXPECTED_TOKEN: 'this is not expected here: a value with special characters needs quotes',
  BAD_SCALAR_START: 'a value must not begin with this sign: put it in quotes',
  BAD_DQ_ESCAPE: 'an unknown escape after a backslash: use single quotes, or double the backslash',
  BAD_ALIAS: 'a value that begins with * or & means something else in YAML: put it in quotes',
  MULTIPLE_DOCS: 'a second document begins here: one file holds one',
}

export function yamlProblem(error: YAMLError, lines: LineCounter): YamlProblem {
  const words =
    unclosed(error) ?? WORDS[error.code] ?? error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'it is not YAML'
  return { line: lines.linePos(error.pos[0]).line, words }
}

/** The parser takes a bracket without its end for a matter of indentation. */
function unclosed({ message }: YAMLError): string | null {
  return /^Flow \w+ in block collection/.test(message) ? 'a bracket is opened and not closed, or not indented' : null
}

/** The line of a value, or of the key in it that is named; of what holds it where it is not there itself. */
export function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[], key: string | null = null): number | null {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (!isNode(node)) continue
    const pair = key !== null && isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined
    const found = pair && isScalar(pair.key) ? pair.key : node
    // Where a block begins says little of what is missing in it.
    if (length === 0 && isCollection(found)) return null
    return found.range ? lines.linePos(found.range[0]).line : null
  }
  return null
}
