import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { settingsDocument, settingsOf } from '../../bot/config/documentation.ts'
import { settingsFileSchema } from '../../bot/config/settings-file.ts'
import { loadConfig, VARIABLES } from '../../bot/config.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const settings = settingsOf(settingsFileSchema)
/** For the crash tests, and nobody else. */
const OF_TESTS = 'STEADYHAND_TEST_CRASH'

/** Every name that is asked of the environment while settings are read. */
function askedNames(): string[] {
  const asked = new Set<string>()
  const spy = new Proxy({} as Record<string, string>, {
    get(_, name) {
      asked.add(String(name))
      return undefined
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-settings-'))
  // The address of a server where alerts can be silenced is asked for only where the file names one.
  writeFileSync(join(folder, 'steadyhand.yaml'), 'alertmanager: [{ url: "http://one.example", acceptEmbeddedDatabase: true }]\n')
  loadConfig(spy, folder)
  rmSync(folder, { recursive: true })
  return [...asked].filter((name) => name !== OF_TESTS)
}

describe('the documentation of the settings', () => {
  test('is what docs/configuration.md holds (npx steadyhand config docs > docs/configuration.md)', () => {
    expect(readFileSync(join(ROOT, 'docs', 'configuration.md'), 'utf8')).toBe(settingsDocument(settingsFileSchema, VARIABLES))
  })

  test('has words for every key', () => {
    expect(settings.length).toBeGreaterThan(100)
    expect(settings.filter(({ words }) => words === null).map(({ path }) => path)).toEqual([])
  })

  test('has every variable that is read, and none besides', () => {
    const documented = [...Object.keys(VARIABLES), ...settings.flatMap(({ env }) => env ?? [])]
    const asked = askedNames()
    const files = asked.filter((name) => name.endsWith('_FILE')).map((name) => name.replace(/_FILE$/, ''))
    expect([...new Set(documented)].sort()).toEqual(asked.filter((name) => !name.endsWith('_FILE')).sort())
    const secrets = Object.entries(VARIABLES).flatMap(([name, { secret }]) => (secret ? [name] : []))
    expect(secrets.sort()).toEqual(files.sort())
  })

  test('names the variables that .env.example shows', () => {
    const shown = [...readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^# ([A-Z][A-Z_]+)=/gm)].map(([, name]) => name)
    expect(shown.toSorted()).toEqual(
      askedNames()
        .filter((name) => !name.endsWith('_FILE'))
        .sort(),
    )
  })

  test('says the defaults that hold', () => {
    const loaded = loadConfig({}, '/nonexistent') as unknown as Record<string, unknown>
    const valueAt = (path: string): unknown =>
      path.split('.').reduce<unknown>((at, step) => (at as Record<string, unknown> | null | undefined)?.[step], loaded)
    const comparable = settings.filter(
      ({ path, default: given }) => given !== undefined && path !== 'dataDir' && valueAt(path) !== undefined,
    )
    expect(comparable.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['host', 'port', 'webhooks.perSecond', 'webhooks.burst', 'heartbeats.everySeconds', 'local.enabled']),
    )
    for (const { path, default: given } of comparable) expect({ path, value: valueAt(path) }).toEqual({ path, value: given })
  })
})
