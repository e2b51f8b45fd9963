const LONGEST = 1_000
const HOME = '/'

/**
 * Where the browser goes after it signed in: a path of ours with its query and fragment, and home for whatever else was asked for. Browsers
 * read `//host`, `/\host` and some with control characters in between as addresses of other sites, so each is read here as a browser would.
 */
export function safeReturnTo(asked: string | undefined): string {
  if (asked === undefined || asked.length > LONGEST || !/^\/[\x21-\x7e]*$/.test(asked) || asked.includes('\\')) return HOME
  const here = 'http://here.invalid'
  if (!URL.canParse(asked, here)) return HOME
  const { origin, pathname, search, hash } = new URL(asked, here)
  if (origin !== here || pathname.startsWith('//') || pathname.startsWith('/auth/')) return HOME
  const path = pathname + search + hash
  return path.length > LONGEST ? HOME : path
}
