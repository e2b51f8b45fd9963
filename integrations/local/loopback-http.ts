import { get } from 'node:http'

const MAX_BYTES = 256 * 1024

/** GETs text from a process of this machine. Rejects on any status but 200, on a timeout, and when the answer is larger than 256 KiB. */
export function getText(port: number, path: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const request = get({ host: '127.0.0.1', port, path, agent: false, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > MAX_BYTES) response.destroy(new Error(`${path} answered more than ${MAX_BYTES} bytes`))
      })
      response.on('error', reject)
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${path} answered ${response.statusCode}`))))
    })
    request.on('error', reject)
  })
}
