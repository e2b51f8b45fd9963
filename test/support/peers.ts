import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Browser, chromium } from 'playwright-core'
import { answers, freePort, type SystemUser, startProcess, temporaryFolder } from './peer-process.ts'

/** A real server on the loopback address, started for a test. */
export type Peer = { readonly url: string; readonly stop: () => Promise<void> }

/** What this machine lacks, in words: pass it to `context.skip`. */
export type Missing = { readonly missing: string }

const root = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

const DEBIAN_POSTGRES = '/usr/lib/postgresql/15/bin'
/** Servers of tests are killed with their data; what a crash of theirs would lose is no test's subject, and waiting for the disk is most of a commit. */
const WITHOUT_DISK = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']
const PROMETHEUS = '/usr/bin/prometheus'
const ALERTMANAGER = '/usr/bin/prometheus-alertmanager'
const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The PostgreSQL servers a storage suite runs on: the one DATABASE_URL names, else each of those below. */
export function postgresServers(): { name: string; start: () => Promise<Peer | Missing> }[] {
  const url = process.env['DATABASE_URL']
  if (url !== undefined) return [{ name: 'the server of DATABASE_URL', start: async () => ({ url, stop: async () => {} }) }]
  return [
    { name: 'PostgreSQL 15 without pgvector', start: startPostgres15 },
    { name: 'PostgreSQL 18 with pgvector', start: startPostgres18 },
  ]
}

/** Debian's PostgreSQL 15, which has no pgvector, with an empty cluster. */
export async function startPostgres15(): Promise<Peer | Missing> {
  if (!existsSync(join(DEBIAN_POSTGRES, 'initdb'))) return { missing: 'PostgreSQL 15 (Debian package postgresql-15)' }
  const user = await unprivilegedUser('postgres')
  const folder = temporaryFolder(user)
  const data = join(folder.path, 'data')
  await run(join(DEBIAN_POSTGRES, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    cwd: folder.path,
    ...user,
  })
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const stop = await startProcess({
    command: join(DEBIAN_POSTGRES, 'postgres'),
    args: ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder.path, ...WITHOUT_DISK],
    user,
    ready: () => acceptsQueries(url),
    stopSignal: 'SIGINT',
    cleanUp: folder.remove,
  })
  return { url, stop }
}

/** PostgreSQL 18 with pgvector, by the script postgres.sh in PEERS_DIR (default ../shared/peers): it prints the URL and stops with --down. */
export async function startPostgres18(): Promise<Peer | Missing> {
  const script = join(process.env['PEERS_DIR'] ?? join(root, '..', 'shared', 'peers'), 'postgres.sh')
  if (!existsSync(script)) return { missing: `PostgreSQL 18 with pgvector (${script})` }
  const folder = temporaryFolder()
  const { stdout } = await run('bash', [script, folder.path], { env: { ...process.env, POSTGRES_FLAGS: WITHOUT_DISK.join(' ') } })
  const stop = async (): Promise<void> => {
    await run('bash', [script, '--down', folder.path])
    folder.remove()
  }
  return { url: stdout.trim(), stop }
}

/** A database of its own on a server, so that tests on one server do not meet: empty, or a copy of the one at `template`, which nobody may be using. */
export async function createDatabase(server: string, template?: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await query(server, `create database ${name}${template ? ` template ${new URL(template).pathname.slice(1)}` : ''}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => query(server, `drop database if exists ${name} with (force)`) }
}

/** A server's configuration: the text of its file, and further files by their path beside it. */
export type ServerFiles = { readonly config: string; readonly files?: Readonly<Record<string, string>> }

/** Prometheus 2 of Debian. It sends alerts again after 1 s: it looks for its Alertmanagers only after the first try. */
export async function startPrometheus(files: ServerFiles): Promise<Peer | Missing> {
  if (!existsSync(PROMETHEUS)) return { missing: 'Prometheus (Debian package prometheus)' }
  return startHttpServer(files, (folder, address) => ({
    command: PROMETHEUS,
    args: [
      `--config.file=${folder}/config.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${address}`,
      '--rules.alert.resend-delay=1s',
    ],
  }))
}

/** Alertmanager of Debian, alone: not part of a cluster. */
export async function startAlertmanager(files: ServerFiles): Promise<Peer | Missing> {
  if (!existsSync(ALERTMANAGER)) return { missing: 'Alertmanager (Debian package prometheus-alertmanager)' }
  return startHttpServer(files, (folder, address) => ({
    command: ALERTMANAGER,
    args: [
      `--config.file=${folder}/config.yml`,
      `--storage.path=${folder}/data`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
  }))
}

/** The machine's Chromium (CHROMIUM_PATH, default /usr/bin/chromium), headless, reaching for nothing but the pages it is given. */
export async function startChromium(): Promise<{ browser: Browser; stop: () => Promise<void> } | Missing> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) return { missing: `Chromium (${executablePath}; Debian package chromium)` }
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS })
  return { browser, stop: () => browser.close() }
}

async function startHttpServer(
  { config, files = {} }: ServerFiles,
  program: (folder: string, address: string) => { command: string; args: string[] },
): Promise<Peer> {
  const folder = temporaryFolder()
  for (const [path, text] of Object.entries({ ...files, 'config.yml': config })) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true })
    writeFileSync(join(folder.path, path), text)
  }
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  const stop = await startProcess({ ...program(folder.path, address), ready: () => answers(`${url}/-/ready`), cleanUp: folder.remove })
  return { url, stop }
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(name: string): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

async function acceptsQueries(url: string): Promise<boolean> {
  await query(url, 'select 1')
  return true
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
