import type { z } from 'zod'

/** One person at the HTTP interface of a server. */
export interface PersonAt {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>
  post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T>
}

/** @throws Error for every answer that is no success: a measurement expects none */
export async function signIn(url: string, person: string): Promise<PersonAt> {
  const opened = await fetch(`${url}/api/v1/session`, post({ person }))
  const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const call = async <T>(path: string, init: RequestInit, schema: z.ZodType<T>): Promise<T> => {
    const response = await fetch(url + path, { ...init, headers: { ...init.headers, cookie } })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 500)}`)
    return schema.parse(JSON.parse(text))
  }
  return { get: (path, schema) => call(path, {}, schema), post: (path, body, schema) => call(path, post(body), schema) }
}

type RequestInit = NonNullable<Parameters<typeof fetch>[1]>

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}
