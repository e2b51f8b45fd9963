/** A cookie of ours: no script reads it. Its value is a token of 32 random bytes, or a hash of one, in base64url. */
export interface Cookie {
  /** The header that sets it. */
  set(token: string, seconds: number): string
  /** The header that clears it. */
  clear(): string
  /** The token in a Cookie header; null when it is missing or is no such token. */
  read(header: string | undefined): string | null
}

/**
 * `secure`: people reach the server over https. Then the browser never sends it in the clear, and takes it from this very host only, so that no
 * other name of the domain can plant one.
 */
export function createCookie(name: string, { secure, sameSite }: { secure: boolean; sameSite: 'Strict' | 'Lax' }): Cookie {
  const fullName = secure ? `__Host-${name}` : name
  const header = (value: string, seconds: number): string =>
    `${fullName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`
  return {
    set: header,
    clear: () => header('', 0),
    read(cookies) {
      const found = (cookies ?? '')
        .split(';')
        .map((part) => part.trim())
        .find((part) => part.startsWith(`${fullName}=`))
      const token = found?.slice(fullName.length + 1) ?? ''
      return /^[\w-]{43}$/.test(token) ? token : null
    },
  }
}
