import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseSettings } from '../../bot/config/settings-file.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const deploy = (file: string): string => readFileSync(join(ROOT, 'deploy', file), 'utf8')

const steps = deploy('Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line))
const compose = parse(deploy('compose.yaml'))

test('the image installs while it is made, and starts the product on its pinned Node as nobody', () => {
  const last = steps.slice(steps.findLastIndex((step) => step.startsWith('FROM ')))
  expect(steps.join('\n')).toContain('npm ci --omit=dev')
  expect(last.join('\n')).not.toContain('npm')
  expect(last).toContain('USER 65532:65532')
  expect(last).toContain('ENTRYPOINT ["/app/node_modules/.bin/node", "/app/bot/cli.ts"]')
  expect(last).toContain('CMD ["start"]')
})

test('what the user of the image compiled while it was made is found again at each start, and nobody writes on it', () => {
  const CACHE = 'NODE_COMPILE_CACHE=/app/node_modules/.cache/node-compile'
  const last = steps.findLastIndex((step) => step.startsWith('FROM '))
  const compiled = steps.findIndex((step) => step.endsWith('bot/cli.ts --version'))
  const before = steps.slice(0, compiled)
  expect(before).toContain(`ENV ${CACHE}`)
  expect(before.findLast((step) => step.startsWith('USER '))).toBe('USER 65532:65532')
  expect(steps.slice(compiled, last)).toContain('RUN chmod -R a+rX,go-w "$NODE_COMPILE_CACHE"')
  expect(steps.slice(last).find((step) => step.startsWith('ENV '))).toContain(` ${CACHE}`)
  expect(steps.slice(last)).toContain('COPY --from=packages --chown=0:0 /app /app')
})

test('all that the product is goes into the image, and nothing else', () => {
  const taken = deploy('Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  const left = ['.ci', '.git', 'bench', 'bin', 'data', 'deploy', 'docs', 'node_modules', 'test', 'tmp']
  expect(taken.filter((name) => folders.includes(name))).toEqual(
    folders.filter((name) => !left.includes(name) && !name.startsWith('.')).sort(),
  )
  expect(deploy('Dockerfile.dockerignore')).toMatch(/^\*$/m)
  expect(taken).not.toContain('.env')
})

test('compose runs it as nobody, on a root it cannot write to, with secrets in files', () => {
  const { steadyhand, postgres } = compose.services
  expect(steadyhand).toMatchObject({ read_only: true, user: '65532:65532', cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  for (const { environment, secrets } of [steadyhand, postgres]) {
    const files = Object.entries(environment).filter(([name]) => name.endsWith('_FILE'))
    expect(files.map(([, path]) => path).sort()).toEqual(secrets.map((name: string) => `/run/secrets/${name}`).sort())
    for (const name of secrets) expect(compose.secrets[name].file).toBe(`./secrets/${name}`)
  }
  expect(JSON.stringify(compose)).not.toMatch(/postgres:\/\//)
})

test('compose lets the database be reached by the product alone, and the product by this machine alone', () => {
  const { steadyhand, postgres } = compose.services
  expect(compose.networks[postgres.networks[0]]).toEqual({ internal: true })
  expect(postgres).toMatchObject({ networks: ['inside'], image: expect.stringContaining('pgvector') })
  expect(postgres.ports).toBeUndefined()
  expect(steadyhand.ports).toEqual(['127.0.0.1:7878:7878'])
})

test('the settings of compose can be read', () => {
  expect(parseSettings(deploy('compose-settings.yaml')).problems).toEqual([])
})

test('secrets beside compose are not for the repository', () => {
  expect(readFileSync(join(ROOT, '.gitignore'), 'utf8')).toContain('/deploy/secrets/')
})
