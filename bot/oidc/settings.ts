import { z } from 'zod'
import type { EnvironmentReader } from '../config/secrets.ts'

/** Claims that people, or whoever runs their mail, can change. A person is never known by one of them. */
const CHANGEABLE = ['email', 'name', 'preferred_username', 'nickname', 'given_name', 'family_name', 'upn', 'unique_name', 'phone_number']

const text = (max: number) => z.string().trim().min(1).max(max)
const claimSchema = text(100).refine(
  (claim) => !CHANGEABLE.includes(claim),
  'names something that can be changed: name an id that stays with the account, such as sub or oid',
)

/** The part of the settings file that is about the identity provider. */
export const oidcFileSchema = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .optional()
    .meta({ description: 'Exactly as the provider calls itself, a slash at the end included.', env: 'OIDC_ISSUER' }),
  clientId: text(300).optional().meta({ description: 'What this installation is called there.', env: 'OIDC_CLIENT_ID' }),
  clientSecret: text(1_000).optional().meta({ description: 'What it proves itself with.', env: 'OIDC_CLIENT_SECRET' }),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'must be one word'))
    .max(20)
    .optional()
    .meta({
      description:
        'What is asked for, beside openid. With offline_access most providers give a refresh token, by which a session is checked again.',
    }),
  audience: text(500).optional().meta({ description: 'Only for providers that ask what the tokens are for.' }),
  claim: claimSchema.optional().meta({ description: 'The claim by which accounts are linked: one that never changes.', default: 'sub' }),
})

export interface OidcSettings {
  /** Exactly as the provider calls itself. */
  issuer: string
  clientId: string
  clientSecret: string
  /** Always with openid. */
  scopes: readonly string[]
  /** What some providers want to be told that the tokens are for. */
  audience: string | null
  /** The claim of the ID token by which accounts are linked to people. */
  claim: string
}

/** Null when nothing of it is set; half of it is a problem. */
export function readOidcSettings(read: EnvironmentReader, file: z.infer<typeof oidcFileSchema> = {}): OidcSettings | null {
  const issuer = issuerOf(read) ?? file.issuer
  const clientId = read.text('OIDC_CLIENT_ID') ?? file.clientId
  const clientSecret = read.secret('OIDC_CLIENT_SECRET') ?? file.clientSecret
  if (issuer === undefined && clientId === undefined && clientSecret === undefined && Object.keys(file).length === 0) return null
  const missing = [
    ...(issuer === undefined ? ['oidc.issuer (or OIDC_ISSUER)'] : []),
    ...(clientId === undefined ? ['oidc.clientId (or OIDC_CLIENT_ID)'] : []),
    ...(clientSecret === undefined ? ['oidc.clientSecret (or OIDC_CLIENT_SECRET, OIDC_CLIENT_SECRET_FILE)'] : []),
  ]
  if (missing.length > 0) read.problems.push(`Sign-in at an identity provider misses ${missing.join(' and ')}.`)
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return null
  const scopes = [...new Set(['openid', ...(file.scopes ?? [])])]
  return { issuer, clientId, clientSecret, scopes, audience: file.audience ?? null, claim: file.claim ?? 'sub' }
}

function issuerOf(read: EnvironmentReader): string | undefined {
  const issuer = read.text('OIDC_ISSUER')
  if (issuer === undefined || (/^https?:/i.test(issuer) && URL.canParse(issuer) && issuer.length <= 500)) return issuer
  read.problems.push(`OIDC_ISSUER is ${issuer}: it must be an address that begins with https://.`)
  return undefined
}
