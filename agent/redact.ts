const MASK = '[secret]'

/** Formats of secrets, each with what stays readable. Order matters: whole documents before the words inside them. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, MASK],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, MASK],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  [/\b(?:xox[abeprs]|xapp|xwfp)-[\w-]{10,}/g, MASK],
  [/\b(hooks\.slack\.com\/[a-z]+\/)[\w/-]{8,}/gi, `$1${MASK}`],
  [/\b(?:gh[opsur]_|github_pat_|glpat-|sk-|[rs]k_(?:live|test)_|AIza|npm_|pypi-|dop_v1_|hf_)[\w-]{16,}/g, MASK],
  [/\bSG\.[\w-]{16,}\.[\w-]{16,}/g, MASK],
  [/\b\d{8,10}:AA[\w-]{30,}/g, MASK],
  [/\b((?:authorization|proxy-authorization)["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|token)\s+)?[^\s"',;]+/gi, `$1${MASK}`],
  [/\b(bearer\s+)[\w.~+/-]{12,}=*/gi, `$1${MASK}`],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${MASK}@`],
  [
    /\b([\w-]{0,40}(?:password|passwd|pwd|secret|token|api[_-]?key|(?:access|account|private|encryption)[_-]?key|credential)s?["']?\s*[:=]\s*)(?!\d{1,9}\b)(?:"[^"]*"|'[^']*'|[^\s"',;&]+)/gi,
    `$1${MASK}`,
  ],
]

/** Keys in base64 may hold slashes, as paths do; forty characters that change their kind as often as these are no path. */
const BASE64_KEY = /(?<![\w+/=.-])[A-Za-z0-9+/]{40}(?![\w+/.-])/g

/** A long run of mixed letters and digits is a key rather than a word. Hexadecimal (traces, digests, commits) stays. */
const LONG_TOKEN = /(?<![\w+-])[\w+-]{32,}={0,2}/g

/**
 * Masks secrets in text from outside before it is stored, shown or given to a model: keys by their formats, credentials in headers, addresses
 * and settings, and long random tokens. What remains is still text from outside.
 */
export function redact(text: string): string {
  const masked = PATTERNS.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text)
  return masked
    .replace(LONG_TOKEN, (token) => (looksRandom(token) ? MASK : token))
    .replace(BASE64_KEY, (token) => (looksRandom(token) && changesOfKind(token) >= 14 ? MASK : token))
}

/** How often the next character is of another kind: letter, capital, digit or sign. */
function changesOfKind(token: string): number {
  const kinds = [...token].map((character) => [/[a-z]/, /[A-Z]/, /\d/].findIndex((kind) => kind.test(character)))
  return kinds.filter((kind, i) => i > 0 && kind !== kinds[i - 1]).length
}

function looksRandom(token: string): boolean {
  return /[a-z]/.test(token) && /[A-Z]/.test(token) && (token.match(/\d/g)?.length ?? 0) >= 3
}
