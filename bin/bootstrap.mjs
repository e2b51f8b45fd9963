import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runChild } from './child.mjs'
import { ensureDependencies } from './dependencies.mjs'
import { endWithParent, startedByNpm } from './end-with-parent.mjs'
import { explainMissingNode, findPinnedNode, runningNodeIsUsable } from './pinned-node.mjs'
import { say } from './say.mjs'

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))

/**
 * Installs the dependencies if they are not there, then runs a program of this project on the pinned Node with this process's
 * arguments, standard streams and signals, and ends as it ends. Runs itself on any Node from 20 on, before anything is installed.
 * @param {string} program path from the project's folder
 * @param {readonly string[]} args
 */
export async function launch(program, args) {
  try {
    await ensureDependencies(root, needsDevelopmentPackages(program))
    const node = findPinnedNode(root) ?? (runningNodeIsUsable() ? process.execPath : null)
    if (node === null) throw new Error(explainMissingNode())
    await become(node, [...settingsFor(program), join(root, program), ...args])
  } catch (error) {
    say(error.message)
    process.exitCode = 1
  }
}

function needsDevelopmentPackages(program) {
  return program.startsWith('test/') || program.startsWith('bench/')
}

/** The product takes settings from a file .env beside it; tests and measurements depend on nobody's settings. */
function settingsFor(program) {
  const file = join(root, '.env')
  return needsDevelopmentPackages(program) || !existsSync(file) ? [] : [`--env-file=${file}`]
}

async function become(node, args) {
  const env = {
    ...process.env,
    PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].filter(Boolean).join(delimiter),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'node-compile'),
  }
  const byNpm = startedByNpm()
  // Where a process can replace itself there is nothing left to pass on; Node 20 and Windows cannot, and stay as a parent that waits.
  if (process.platform !== 'win32' && typeof process.execve === 'function') {
    const watching = byNpm ? ['--import', new URL('end-with-parent.mjs', import.meta.url).href] : []
    process.execve(node, [node, ...watching, ...args], env)
  }
  if (byNpm) endWithParent()
  const end = await runChild(node, args, { stdio: 'inherit', env })
  if (end.error !== undefined) throw new Error(`${node} could not be started: ${end.error.message}`, { cause: end.error })
  if (end.signal !== null) process.kill(process.pid, end.signal)
  else process.exitCode = end.code ?? 1
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [program, ...args] = process.argv.slice(2)
  if (program === undefined) {
    say('Usage: node bin/bootstrap.mjs PROGRAM [ARGUMENT…]')
    process.exitCode = 2
  } else await launch(program, args)
}
