import type { Context } from 'hono'
import { z } from 'zod'
import { signInPage } from '../oidc/page.ts'
import { CALLBACK_PATH, LOGIN_PATH, type SignIn } from '../oidc/sign-in.ts'
import type { Checked } from '../outermost-check.ts'
import { HttpProblem, type ProblemCode, problemOf } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { textSchema } from './text.ts'

export interface AuthApiDeps {
  /** Null where no identity provider is configured. */
  signIn: SignIn | null
  /** Whether people may be signed in by name. */
  namedPeople: boolean
}

const waySchema = z.object({
  way: z
    .enum(['provider', 'name'])
    .nullable()
    .describe('provider: by opening `at` · name: by POST /api/v1/session · null: nobody can sign in here'),
  at: z.string().nullable(),
})
const leftSchema = z.object({
  continueAt: z.url().nullable().describe('Where the browser ends its session at the provider too; null when there is no such place.'),
})
const PROVIDER = ['no-identity-provider', 'provider-unavailable', 'provider-not-trusted'] as const satisfies ProblemCode[]

export function authEndpoints({ signIn, namedPeople }: AuthApiDeps): Endpoint[] {
  const configured = (): SignIn => signIn ?? none()
  const way = signIn ? { way: 'provider', at: LOGIN_PATH } : { way: namedPeople ? 'name' : null, at: null }
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/sign-in',
      name: 'getSignIn',
      summary: 'How people sign in here.',
      access: 'open',
      answers: { 200: { words: 'The way.', schema: waySchema } },
      handle: async () => ({ body: way }),
    }),
    endpoint({
      method: 'get',
      path: LOGIN_PATH,
      name: 'beginSignIn',
      summary: 'Sends the browser to the identity provider: authorization code with PKCE.',
      access: 'open',
      query: z.object({ returnTo: textSchema(1_000).optional() }),
      answers: { 302: { words: 'To the identity provider; a cookie ties its answer to this browser.', schema: null } },
      problems: [...PROVIDER, 'invalid-query', 'too-many-requests'],
      handle: async ({ context, query }) =>
        await forPerson(context, async () => {
          const from = { host: context.req.header('host'), cookies: context.req.header('cookie') }
          const { location, cookies } = await configured().begin(query.returnTo, from)
          return redirect(location, cookies)
        }),
    }),
    endpoint({
      method: 'get',
      path: CALLBACK_PATH,
      name: 'completeSignIn',
      summary: "Where the identity provider sends the browser back: verifies its answer and opens the linked person's session.",
      access: 'open',
      answers: { 302: { words: 'Signed in; back to where the sign-in began.', schema: null } },
      problems: [...PROVIDER, 'sign-in-stale', 'sign-in-refused', 'account-not-linked'],
      handle: async ({ context }) =>
        await forPerson(context, async () => {
          const { location, cookies } = await configured().complete(new URL(context.req.url).search, context.req.header('cookie'))
          return redirect(location, cookies)
        }),
    }),
    endpoint({
      method: 'post',
      path: '/auth/logout',
      name: 'signOut',
      summary: 'Signs out here, and says where the browser signs out at the identity provider.',
      access: 'open',
      // A form of another page cannot send JSON, so that nobody is signed out by one.
      body: z.strictObject({}),
      answers: { 200: { words: 'Signed out; the cookie is cleared.', schema: leftSchema } },
      problems: ['no-identity-provider'],
      async handle({ context }) {
        const { cookie, continueAt } = await configured().leave(context.req.header('cookie'))
        return { body: { continueAt }, headers: { 'set-cookie': cookie } }
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/backchannel-logout',
      name: 'endByProvider',
      summary:
        'The identity provider tells that a session, or every session of an account, is over (OpenID Connect Back-Channel Logout 1.0).',
      access: 'open',
      bodyType: 'form',
      body: z.object({
        logout_token: z
          .string()
          .min(1)
          .max(16 * 1024),
      }),
      answers: { 200: { words: 'They have ended.', schema: null } },
      problems: [...PROVIDER, 'invalid-logout-token'],
      async handle({ body }) {
        await configured().endByProvider(body.logout_token)
        return {}
      },
    }),
  ]
}

function none(): never {
  throw new HttpProblem('no-identity-provider')
}

function redirect(location: string, cookies: readonly string[]): Response {
  const headers = new Headers({ location, 'cache-control': 'no-store' })
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 302, headers })
}

/** A browser that opens the address gets a refusal as a page; everything else gets the problem document. */
async function forPerson(context: Context<Checked>, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer()
  } catch (error) {
    const problem = problemOf(error)
    if (problem === null || !/\btext\/html\b/i.test(context.req.header('accept') ?? '')) throw error
    return signInPage(problem)
  }
}
