import type { webApi } from '@slack/bolt'
import { z } from 'zod'
import { SlackFailure, type Upload } from './slack-api.ts'

const placeSchema = z.object({ upload_url: z.url(), file_id: z.string().min(1).max(100) })

/**
 * In the three steps that Slack asks for, each of them here: the SDK's own upload names a picture's description `alt_text`, and Slack knows `alt_txt`
 * (https://docs.slack.dev/reference/methods/files.getUploadURLExternal), so that nobody would ever hear it.
 */
export async function uploadFile(client: webApi.WebClient, file: Upload, timeoutMs: number): Promise<void> {
  const { channel, thread, name, body, alt, title } = file
  const asked = { filename: name, length: body.byteLength, ...(alt === null ? {} : { alt_txt: alt }) }
  const place = placeSchema.safeParse(await client.apiCall('files.getUploadURLExternal', asked))
  if (!place.success) throw new SlackFailure('upload', 'no address to upload to')
  const { upload_url: url, file_id: id } = place.data
  await send(url, body, timeoutMs)
  const where = { channel_id: channel, ...(thread === null ? {} : { thread_ts: thread }) }
  await client.apiCall('files.completeUploadExternal', { files: [{ id, title }], ...where })
}

/** Another host than the one that takes messages: what keeps a file from it keeps no message. */
async function send(url: string, body: Uint8Array, timeoutMs: number): Promise<void> {
  const sent = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(body),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new SlackFailure('upload', 'the upload was not answered', { cause })
  })
  await sent.body?.cancel()
  if (!sent.ok) throw new SlackFailure('upload', `the upload was answered ${sent.status}`)
}
