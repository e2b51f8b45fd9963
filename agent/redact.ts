const MASK = '[secret]'

/** Formats of secrets, each with what stays readable. Order matters: whole documents before the words inside them. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, MASK],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, MASK],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  [/\bxox[abeprs]-[\w-]{10,}/g, MASK],
  [/\b(?:gh[opsur]_|github_pat_|glpat-|sk-|rk_live_|sk_live_|AIza)[\w-]{16,}/g, MASK],
  [/\b((?:authorization|proxy-authorization)["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|token)\s+)?[^\s"',;]+/gi, `$1${MASK}`],
  [/\b(bearer\s+)[\w.~+/-]{12,}=*/gi, `$1${MASK}`],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${MASK}@`],
  [
    /\b([\w-]{0,40}(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?["']?\s*[:=]\s*)(?!\d{1,9}\b)(?:"[^"]*"|'[^']*'|[^\s"',;&]+)/gi,
    `$1${MASK}`,
  ],
]

/** A long run of mixed letters and digits is a key rather than a word. Hexadecimal (traces, digests, commits) stays. */
const LONG_TOKEN = /(?<![\w+-])[\w+-]{32,}={0,2}/g

/**
 * Masks secrets in text from outside before it is stored, shown or given to a model: keys by their formats, credentials in headers, addresses
 * and settings, and long random tokens. What remains is still text from outside.
 */
export function redact(text: string): string {
  const masked = PATTERNS.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text)
  return masked.replace(LONG_TOKEN, (token) => (looksRandom(token) ? MASK : token))
}

function looksRandom(token: string): boolean {
  return /[a-z]/.test(token) && /[A-Z]/.test(token) && (token.match(/\d/g)?.length ?? 0) >= 3
}
