/** What is asked of a repository by name: branches, tags and commits, and nothing that reaches into another repository or stands for a range. */
const REF = /^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$/
const COMMIT = /^[0-9a-f]{7,64}$/i
const [VERSION, SHA] = ['{version}', '{commit}']

/**
 * The state of a repository that a deployed version is. 'v{version}': the tag v42 is version 42. 'main-{commit}': version main-3f2a1bc is commit
 * 3f2a1bc. Null for a version that cannot be one.
 */
export function refOf(pattern: string, version: string): string | null {
  if (version === '') return null
  const [before = '', after = ''] = pattern.split(pattern.includes(SHA) ? SHA : VERSION)
  if (!pattern.includes(SHA)) return safeRef(`${before}${version}${after}`)
  if (!version.startsWith(before) || !version.endsWith(after)) return null
  const commit = version.slice(before.length, version.length - after.length)
  return COMMIT.test(commit) ? commit : null
}

function safeRef(ref: string): string | null {
  return REF.test(ref) && !ref.includes('..') && !ref.endsWith('.lock') && !ref.endsWith('/') ? ref : null
}
