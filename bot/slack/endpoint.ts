import type { Context } from 'hono'
import { z } from 'zod'
import type { Endpoint } from '../api/endpoint.ts'
import { parseForm, parseJson } from '../json-body.ts'
import type { Checked } from '../outermost-check.ts'
import { HttpProblem } from '../problem.ts'
import type { Inlet } from './inlet.ts'
import { checkSignature, type SignedBody } from './signature.ts'

export interface SlackEndpointDeps {
  secret: string
  inlet: Inlet
  now: () => Date
  log: { warn(object: object, message: string): void; error(object: object, message: string): void }
}

const verificationSchema = z.object({ type: z.literal('url_verification'), challenge: z.string().max(500) })

/** `POST /slack/events` for events, clicks, forms, shortcuts and commands: nothing of a body is looked at before its signature was. */
export function slackEndpoints(deps: SlackEndpointDeps): Endpoint[] {
  return [
    {
      method: 'post',
      path: '/slack/events',
      name: 'receiveSlack',
      summary: 'Events, clicks, forms, shortcuts and commands as Slack sends them, signed by Slack. Stored before they are acknowledged.',
      access: 'signed',
      params: z.object({}),
      query: z.object({}),
      body: z.unknown(),
      bodyType: 'either',
      answers: { 200: { words: 'Taken. To the verification of the address, its challenge.', schema: z.unknown() } },
      problems: ['foreign-app', 'unrecognised-payload', 'not-durable'],
      serve: async (context) => await receive(context, deps),
    },
  ]
}

async function receive(context: Context<Checked>, { secret, inlet, now, log }: SlackEndpointDeps): Promise<Response> {
  const header = (name: string): string | undefined => context.req.header(name)
  const body = checkSignature({
    body: context.get('body'),
    timestamp: header('x-slack-request-timestamp'),
    signature: header('x-slack-signature'),
    secret,
    now: now(),
  })
  if (body === null) throw new HttpProblem('not-signed')
  const sent = readSigned(body, header('content-type') ?? '')
  const verification = verificationSchema.safeParse(sent)
  if (verification.success) return Response.json({ challenge: verification.data.challenge })
  if (isProbe(sent)) return acknowledged()
  const taken = await storing(log, async () => await inlet.take(sent))
  if (taken === 'foreign') throw new HttpProblem('foreign-app')
  if (taken === 'unreadable') throw new HttpProblem('unrecognised-payload')
  return acknowledged()
}

/** JSON, a form, or JSON in the field `payload` of a form. */
function readSigned(body: SignedBody, type: string): unknown {
  if (/json/i.test(type)) return parseJson(body)
  const form = parseForm(body)
  return form['payload'] === undefined ? form : parseJson(Buffer.from(form['payload']))
}

/** Slack looks now and then whether the certificate is in order. */
function isProbe(sent: unknown): boolean {
  return typeof sent === 'object' && sent !== null && 'ssl_check' in sent
}

/** An empty body says nothing in the channel and leaves a form to close. */
function acknowledged(): Response {
  return new Response(null, { status: 200 })
}

async function storing<T>(log: SlackEndpointDeps['log'], store: () => Promise<T>): Promise<T> {
  try {
    return await store()
  } catch (cause) {
    log.error({ err: cause }, 'what Slack sent could not be stored')
    throw new HttpProblem('not-durable', null, { 'retry-after': '5' })
  }
}
