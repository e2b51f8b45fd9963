import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runChild } from './child.mjs'
import { withInstallLock } from './install-lock.mjs'
import { findPinnedNode, pinnedNodePackage } from './pinned-node.mjs'
import { say } from './say.mjs'

const STILL_INSTALLING_MS = 15_000

/**
 * Why the installed packages are not those of package-lock.json. Compares npm's own record of what it installed, which npm writes last and
 * removes first, so an interrupted install is noticed too.
 * @param {string} root the project's folder
 * @param {boolean} withDev whether development packages are needed
 * @returns {string | null} the reason in words, or null when everything is in place
 */
export function whyInstall(root, withDev) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing'
  if (!existsSync(record)) return 'node_modules is incomplete'
  const installed = readPackages(record)
  for (const [path, wanted] of Object.entries(readPackages(join(root, 'package-lock.json')))) {
    if (path === '' || wanted.link === true) continue
    const found = installed[path]
    const name = path.replace(/^.*node_modules\//, '')
    if (found === undefined) {
      if (wanted.optional === true || wanted.devOptional === true || (wanted.dev === true && !withDev)) continue
      return `${name} ${wanted.version} is not installed`
    }
    if (found.version !== wanted.version) return `${name} is ${found.version} and should be ${wanted.version}`
    if (found.integrity !== wanted.integrity) return `${name} ${wanted.version} differs from package-lock.json`
  }
  return null
}

/**
 * Installs what package-lock.json names unless it is there. Ends in an error with words for a person when npm fails.
 * @param {string} root the project's folder
 * @param {boolean} withDev whether development packages are needed
 */
export async function ensureDependencies(root, withDev) {
  if (reason(root, withDev) === null) return
  await withInstallLock(root, async () => {
    // Another start may have installed everything while this one waited for the lock.
    const why = reason(root, withDev)
    if (why !== null) await install(root, withDev, why)
  })
}

function reason(root, withDev) {
  const why = whyInstall(root, withDev)
  if (why !== null) return why
  const node = pinnedNodePackage()
  if (node === null || findPinnedNode(root) !== null) return null
  return existsSync(noPinnedNodeMark(root)) ? null : `${node} is not installed`
}

/** Set when npm left the pinned Node out, so that the next start does not install in vain; npm ci removes it with everything else. */
function noPinnedNodeMark(root) {
  return join(root, 'node_modules', '.cache', 'no-pinned-node')
}

async function install(root, withDev, why) {
  say(`Installing dependencies (npm ci): ${why} …`)
  const started = process.hrtime.bigint()
  const seconds = () => Number((process.hrtime.bigint() - started) / 1_000_000_000n)
  const ticking = process.stderr.isTTY ? null : setInterval(() => say(`… still installing (${seconds()} s)`), STILL_INSTALLING_MS)
  const args = ['ci', '--include=optional', '--loglevel=error', '--no-audit', '--no-fund', ...(withDev ? ['--include=dev'] : [])]
  const onWindows = process.platform === 'win32'
  const end = await runChild('npm', args, { cwd: root, env: npmEnvironment(root), stdio: ['ignore', 2, 2], shell: onWindows })
  if (ticking !== null) clearInterval(ticking)
  if (end.error !== undefined) throw new Error(`npm could not be started (${end.error.message}). Install npm 10 or newer and try again.`)
  if (end.code !== 0) {
    throw new Error(
      `npm ci failed (${end.signal ?? `exit code ${end.code}`}); its own words are above. It needs the npm registry: check the network, then run the same command again.`,
    )
  }
  const left = whyInstall(root, withDev)
  if (left !== null)
    throw new Error(`npm ci ended well, yet ${left}. Run "npm ci --include=dev --include=optional" in ${root} and read what it says.`)
  if (pinnedNodePackage() !== null && findPinnedNode(root) === null) {
    mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
    writeFileSync(noPinnedNodeMark(root), '')
  }
  say(`Dependencies installed in ${seconds()} s.`)
}

/** npm must not run on the very Node it is about to replace. */
function npmEnvironment(root) {
  const own = join(root, 'node_modules', '.bin')
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== own)
  return { ...process.env, PATH: path.join(delimiter) }
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
}
