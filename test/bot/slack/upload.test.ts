import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { webApi } from '@slack/bolt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { uploadFile } from '../../../bot/slack/upload.ts'

/** Slack's API, whose host for files answers as it is told to. */
let server: Server
let origin = ''
let uploadTo = ''
let uploadAnswers = 503
beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const isUpload = request.url === '/upload'
      response.writeHead(isUpload ? uploadAnswers : 200, { 'content-type': 'application/json' })
      response.end(isUpload ? '' : JSON.stringify({ ok: true, upload_url: uploadTo, file_id: 'F1' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  uploadTo = `${origin}/upload`
})
afterEach(() => void server.close())

const upload = async (): Promise<void> => {
  const client = new webApi.WebClient('xoxb-1', { slackApiUrl: `${origin}/api/`, retryConfig: { retries: 0 } })
  const file = { channel: 'C1', thread: null, name: 'a.txt', title: 'a', body: Buffer.from('words'), alt: null }
  await uploadFile(client, file, 5_000)
}

test('a file gets to where Slack takes files', async () => {
  uploadAnswers = 200
  await upload()
})

test.each([403, 503])('where it is answered %i, the file failed and messages may still go', async (status) => {
  uploadAnswers = status
  await expect(upload()).rejects.toMatchObject({ kind: 'upload', code: `the upload was answered ${status}` })
})

test('where there is no way there, too', async () => {
  uploadTo = 'http://127.0.0.1:1/upload'
  await expect(upload()).rejects.toMatchObject({ kind: 'upload', code: 'the upload was not answered' })
})
