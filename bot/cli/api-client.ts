import { z } from 'zod'
import { healthSchema } from '../api/system.ts'
import type { ProblemDocument } from '../problem.ts'
import { CommandFailed } from './failure.ts'

/** A target that is checked may take twenty seconds until it counts as silent. */
const ANSWER_MS = 30_000
const DOWNLOAD_MS = 3_600_000
/** Nobody there is told at once; only a busy server, or a stranger that never answers, takes this long. */
const LOOK_MS = 5_000

const problemSchema = z.object({ status: z.number(), code: z.string(), detail: z.string() })

/** A "no" of the server, as a problem document. */
export class RefusedCall extends Error {
  override readonly name = 'RefusedCall'
  readonly problem: Pick<ProblemDocument, 'status' | 'detail'> & { code: string }
  constructor(problem: RefusedCall['problem']) {
    super(problem.detail)
    this.problem = problem
  }
}

/** The HTTP interface of a running server, as one caller: a person once signed in, else a program with a key or nobody. */
export interface ApiClient {
  readonly url: string
  /** @throws RefusedCall for a "no", CommandFailed when the server is gone */
  call<T>(method: 'GET' | 'POST', path: string, schema: z.ZodType<T>, body?: unknown): Promise<T>
  /** What a call answers with that is no JSON, piece by piece; it may take its time to begin. @throws RefusedCall, CommandFailed */
  download(method: 'GET' | 'POST', path: string): Promise<AsyncIterable<Uint8Array>>
  /** Another caller of the same server: one of the named people. */
  signIn(person: string): Promise<ApiClient>
}

/** Whether a Steadyhand answers at an address. */
export async function isRunning(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(LOOK_MS) })
    return healthSchema.safeParse(await response.json()).success
  } catch {
    // Nobody listens there, or somebody else does.
    return false
  }
}

export function createApiClient(url: string, key: string | null, cookie: string | null = null): ApiClient {
  const headers = {
    'content-type': 'application/json',
    ...(cookie === null ? {} : { cookie }),
    ...(key === null || cookie !== null ? {} : { authorization: `Bearer ${key}` }),
  }
  const send = async (method: string, path: string, body?: unknown, answerMs = ANSWER_MS): Promise<Response> => {
    try {
      const init = { method, headers, signal: AbortSignal.timeout(answerMs) }
      return await fetch(`${url}${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) })
    } catch (cause) {
      throw new CommandFailed(`${url} does not answer any more (${cause instanceof Error ? cause.message : String(cause)}).`)
    }
  }
  return {
    url,
    async call(method, path, schema, body) {
      const response = await send(method, path, body)
      if (response.ok) return schema.parse(await response.json())
      throw await refusedCall(response)
    },
    async download(method, path) {
      const response = await send(method, path, undefined, DOWNLOAD_MS)
      if (response.ok && response.body !== null) return response.body
      throw await refusedCall(response)
    },
    async signIn(person) {
      const response = await send('POST', '/api/v1/session', { person })
      if (!response.ok) throw await refusedCall(response)
      return createApiClient(url, key, response.headers.getSetCookie()[0]?.split(';')[0] ?? null)
    },
  }
}

async function refusedCall(response: Response): Promise<RefusedCall> {
  const problem = problemSchema.safeParse(await response.json().catch(() => null))
  return new RefusedCall(
    problem.success ? problem.data : { status: response.status, code: 'unknown', detail: `it answered ${response.status}` },
  )
}
