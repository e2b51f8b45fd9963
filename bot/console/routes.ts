import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { Hono } from 'hono'

const FOLDER = join(import.meta.dirname, 'static')
const PAGE = 'index.html'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Scripts, styles and calls of this origin only, nothing inline, and no page around ours. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Asked again each time, answered with 304: a new version is there at once, and nothing is loaded twice.
  'cache-control': 'no-cache',
}

interface Asset {
  body: Uint8Array<ArrayBuffer>
  etag: string
  type: string
}

/**
 * The pages of the console: `GET /` and `GET /console/*`, from files that are read once, here. They hold no data; everything shown comes from the
 * HTTP interface, so they need no caller.
 *
 * @throws Error when the folder of the pages cannot be read
 */
export function consoleRoutes(): Hono {
  const assets = readAssets()
  const app = new Hono()
  app.get('/', ({ req }) => answer(assets.get(PAGE), req.header('if-none-match')))
  app.get('/console/:file', ({ req }) => answer(assets.get(req.param('file')), req.header('if-none-match')))
  return app
}

function readAssets(): ReadonlyMap<string, Asset> {
  const files = readdirSync(FOLDER).filter((name) => Object.hasOwn(TYPES, extname(name)))
  return new Map(files.map((name) => [name, readAsset(name)]))
}

function readAsset(name: string): Asset {
  const body = new Uint8Array(readFileSync(join(FOLDER, name)))
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`
  return { body, etag, type: TYPES[extname(name)] ?? 'application/octet-stream' }
}

function answer(asset: Asset | undefined, known: string | undefined): Response {
  if (!asset)
    return new Response('There is no such page.\n', { status: 404, headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' } })
  const headers = { ...HEADERS, 'content-type': asset.type, etag: asset.etag }
  const unchanged = known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === asset.etag)
  return unchanged ? new Response(null, { status: 304, headers }) : new Response(asset.body, { headers })
}
