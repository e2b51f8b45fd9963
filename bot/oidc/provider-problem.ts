import { HttpProblem } from '../problem.ts'
import { ProviderAway } from './bounded-fetch.ts'

const PLAIN_CODE = /^[a-z0-9_.-]{1,60}$/i

/** What went wrong at the provider as a problem for whoever signs in. Of the provider's own words only short codes are repeated. */
export function inWords(error: unknown): HttpProblem {
  const problem = problemOf(error)
  problem.cause = error
  return problem
}

function problemOf(error: unknown): HttpProblem {
  const away = chain(error).find((each) => each instanceof ProviderAway)
  if (away)
    return new HttpProblem('provider-unavailable', `${away.message}. Nobody was signed in. Try again soon.`, {
      'retry-after': '10',
    })
  const code = oauthError(error)
  if (nameOf(error) === 'AuthorizationResponseError')
    return new HttpProblem('sign-in-refused', `It answered ${code ?? 'with an error'}. Try again, or ask whoever runs it.`)
  if (code === 'invalid_grant') return new HttpProblem('sign-in-stale')
  if (code === 'invalid_client' || nameOf(error) === 'WWWAuthenticateChallengeError')
    return new HttpProblem('provider-not-trusted', 'It does not accept the client id and secret that are configured here. Check both.')
  if (code !== null) return new HttpProblem('provider-not-trusted', `It answered ${code}.`)
  return new HttpProblem('provider-not-trusted')
}

/** Whether the provider said that what a session rests on is no longer valid. */
export function hasEnded(error: unknown): boolean {
  if (oauthError(error) === 'invalid_grant' || nameOf(error) === 'WWWAuthenticateChallengeError') return true
  return chain(error).some((each) => each instanceof Response && each.status === 401)
}

/** For the log: why, without what was sent. */
export function reasonOf(error: unknown): string {
  return chain(error)
    .flatMap((each) => (each instanceof Error ? [each.message.slice(0, 200)] : []))
    .join(': ')
}

/** The library's errors are told by their names: it is not loaded where nobody signs in. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function oauthError(error: unknown): string | null {
  const code = error instanceof Error && 'error' in error ? error.error : null
  return typeof code === 'string' && PLAIN_CODE.test(code) ? code : null
}

/** An error and what caused it, outermost first. */
function chain(error: unknown): unknown[] {
  const found: unknown[] = []
  for (let each = error; each !== undefined && found.length < 8; each = each instanceof Error ? each.cause : undefined) found.push(each)
  return found
}
