/** The part of the package that the tests use; it comes without types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export class Grant {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }

  export interface Context {
    body: unknown
    oidc: { client: { clientId: string }; session: { accountId: string } }
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<{ prompt: { name: string } }>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
    on(event: string, listener: (...args: readonly unknown[]) => void): void
    Grant: new (details: {
      clientId: string
      accountId: string
    }) => Grant
  }
}
