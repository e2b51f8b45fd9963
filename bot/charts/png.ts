import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Twice the drawn width, for dense screens. */
const PIXELS_WIDE = 1_440
const FONTS = ['Inter-Regular.ttf', 'Inter-SemiBold.ttf'].map((name) => join(import.meta.dirname, 'fonts', name))
const KEPT = 32

export interface Png {
  body: Uint8Array<ArrayBuffer>
  /** Changes with the picture. */
  etag: string
}

/**
 * Draws an SVG document with the fonts that lie beside this file, so that it looks the same on every machine. The last few are kept: a card is
 * looked at by several people at once.
 *
 * @throws Error when the drawing program is not there for this platform
 */
export function createPngs(): (svg: string) => Promise<Png> {
  const kept = new Map<string, Promise<Png>>()
  return (svg) => {
    const name = createHash('sha256').update(svg, 'utf8').digest('hex').slice(0, 32)
    const known = kept.get(name) ?? draw(svg, name)
    kept.delete(name)
    kept.set(name, known)
    known.catch(() => kept.delete(name))
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old)
    return known
  }
}

async function draw(svg: string, name: string): Promise<Png> {
  // Loaded with the first chart: a platform without it loses its charts, and nothing else.
  const { renderAsync } = await import('@resvg/resvg-js')
  const image = await renderAsync(svg, {
    font: { loadSystemFonts: false, fontFiles: FONTS, defaultFontFamily: 'Inter' },
    fitTo: { mode: 'width', value: PIXELS_WIDE },
    background: '#ffffff',
    logLevel: 'off',
  })
  return { body: new Uint8Array(image.asPng()), etag: `"${name}"` }
}
