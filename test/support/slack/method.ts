import { z } from 'zod'
import type { Json } from './json.ts'
import type { Tier } from './rate-limits.ts'
import type { World } from './world.ts'

/** What a method may use besides its arguments. */
export interface MethodContext {
  readonly world: World
  /** The scopes of the token. */
  readonly scopes: ReadonlySet<string>
  /** Where this server is reached, such as `http://127.0.0.1:4000`. */
  readonly origin: string
  /** Tells the app what happened, as Slack does, without waiting for it. */
  readonly tellApp: (event: Json) => void
  /** A fresh address for one connection in Socket Mode. */
  readonly openSocketUrl: () => string
  /** Notes what Slack takes and the product should not do. */
  readonly object: (problem: string) => void
}

/** One method of the Web API. */
export interface Method {
  readonly tier: Tier
  /** 'bot' methods refuse an app-level token, and the other way round. */
  readonly token: 'bot' | 'app'
  readonly args: z.ZodObject
  /** Any one of these is enough; none means no scope is needed. */
  readonly scopes: (args: Json, world: World) => readonly string[]
  readonly run: (args: Json, context: MethodContext) => Json
}

type Definition<S extends z.ZodRawShape> = {
  tier: Tier
  token?: Method['token']
  scopes?: readonly string[] | ((args: z.output<z.ZodObject<S>>, world: World) => readonly string[])
  args: S
  run: (args: z.output<z.ZodObject<S>>, context: MethodContext) => Json
}

/** Arguments were read by the method's own schema before its parts are called: the one place that says so to the compiler. */
export function method<S extends z.ZodRawShape>({ tier, token = 'bot', scopes = [], args, run }: Definition<S>): Method {
  type Args = z.output<z.ZodObject<S>>
  return {
    tier,
    token,
    args: z.object(args),
    scopes: (given, world) => (typeof scopes === 'function' ? scopes(given as Args, world) : scopes),
    run: (given, context) => run(given as Args, context),
  }
}

/** Forms carry everything as text. */
export const flag = z.preprocess((value) => (typeof value === 'string' ? ['true', '1'].includes(value) : value), z.boolean()).optional()
export const count = (max: number) =>
  z.preprocess((value) => (typeof value === 'string' ? Number(value) : value), z.int().min(0).max(max)).optional()
export const ts = z.string().regex(/^\d{9,11}\.\d{6}$/, 'invalid timestamp')
/** JSON as an argument: an object, or a text that holds one. Text that is none stays as it is, for the method to refuse. */
export const embedded = z.preprocess((value) => (typeof value === 'string' ? parsed(value) : value), z.unknown())

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
