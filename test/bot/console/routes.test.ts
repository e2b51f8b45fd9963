import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { consoleRoutes } from '../../../bot/console/routes.ts'

const STATIC = join(import.meta.dirname, '../../../bot/console/static')
const files = readdirSync(STATIC)
const read = (name: string): string => readFileSync(join(STATIC, name), 'utf8')
const app = consoleRoutes()

describe('the pages of the console', () => {
  test('are served with a policy that lets only our own files run', async () => {
    const answer = await app.request('/')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test.each(files)('%s is served with its type', async (name) => {
    const answer = await app.request(`/console/${name}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^(text\/(html|javascript|css); charset=utf-8|image\/svg\+xml)$/)
    expect(await answer.text()).toBe(read(name))
  })

  test('are not loaded twice', async () => {
    const etag = (await app.request('/console/app.js')).headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
    const again = await app.request('/console/app.js', { headers: { 'if-none-match': `"old", W/${etag}` } })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
    expect((await app.request('/console/app.js', { headers: { 'if-none-match': '"old"' } })).status).toBe(200)
  })

  test.each(['/console/nothing.js', '/console/..%2Froutes.ts', '/console/%2e%2e/routes.ts', '/console/', '/console/constructor'])(
    'there is nothing at %s',
    async (path) => expect((await app.request(path)).status).toBe(404),
  )
})

describe('the files', () => {
  test('hold nothing inline that the policy would stop', () => {
    const page = read('index.html')
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/)
    expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/i)
  })

  test('refer to nothing but each other', () => {
    for (const name of files.filter((file) => /\.(html|css)$/.test(file))) {
      for (const [, found = ''] of read(name).matchAll(/(?:src=|href=|url\()"([^"#]+)"/g))
        expect(files).toContain(found.replace('/console/', ''))
    }
    for (const name of files.filter((file) => file.endsWith('.js'))) {
      for (const [, found = ''] of read(name).matchAll(/^import .* from '([^']+)'/gm))
        expect(files.map((file) => `./${file}`)).toContain(found)
    }
  })

  test('never make markup from text', () => {
    for (const name of files.filter((file) => file.endsWith('.js')))
      expect(read(name)).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|setHTML/)
  })
})
