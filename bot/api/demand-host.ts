import type { HttpBindings } from '@hono/node-server'
import { bearerToken, isOneOf } from '../bearer.ts'
import { isLoopback } from '../config.ts'
import { HttpProblem } from '../problem.ts'
import type { Call } from './endpoint.ts'

/** The operator on this machine, who has read the secret of the host. @throws HttpProblem no-token for anybody else */
export function demandHost({ env, req }: Call<unknown, unknown, unknown>['context'], hostSecret: string): void {
  const { socket } = (env as Partial<HttpBindings>).incoming ?? {}
  const remote = socket?.remoteAddress?.replace(/^::ffff:/, '')
  // From one address of this machine to the same: where the server listens on another than the loopback address.
  const isHere = remote !== undefined && (isLoopback(remote) || socket?.remoteAddress === socket?.localAddress)
  const given = bearerToken(req.header('authorization'))
  if (isHere && given !== null && isOneOf(given, [hostSecret])) return
  throw new HttpProblem('no-token', 'This is for the command line on the host of the server.', { 'www-authenticate': 'Bearer' })
}
