import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { createAcknowledgements } from './acknowledgements.ts'
import { programFile, type ShopService } from './catalogue.ts'
import { getText } from './loopback-http.ts'
import type { FromShop, ShopSettings, ToShop } from './shop/messages.ts'

const START_WITHIN_MS = 10_000
const ASK_AGAIN_AFTER_MS = 100
const HEALTH_TIMEOUT_MS = 1_000
const STOP_WITHIN_MS = 1_500
const MIB = 1024 * 1024
/** A small young generation, so that the heap in use says what is kept rather than what waits to be collected. */
const SEMI_SPACE_MIB = 2

/** starting → ready ⇄ unready → stopping; an exit from any but `stopping` is a crash. */
export type InstancePhase = 'starting' | 'ready' | 'unready' | 'stopping'

/** One process of a service. */
export interface Instance {
  id: string
  service: string
  version: string
  revision: number
  pid: number | null
  phase: InstancePhase
  /** 0 until it listens. */
  port: number
  /** Where it can be reached over TLS; 0 where it cannot. */
  securePort: number
  send(message: ToShop): void
  /** Resolves once the process has taken over the list of endpoints with this revision, or the time is over. */
  endpointsTaken(revision: number, timeoutMs: number): Promise<void>
  /** Ends it in order, or by force after 1.5 s. Resolves once it is gone. */
  stop(): Promise<void>
}

export interface InstanceEvents {
  /** It listens and answered its health check. */
  onReady(instance: Instance): void
  onLine(instance: Instance, stream: 'stdout' | 'stderr', line: string): void
  /** `why` says how it ended: "exited with code 1", "was ended by SIGKILL". */
  onExit(instance: Instance, why: string): void
}

export interface InstanceSpec {
  id: string
  service: ShopService
  version: string
  revision: number
  dir: string
}

/** Starts one process of a service. It holds nothing of this process's environment. */
export function startInstance(spec: InstanceSpec, events: InstanceEvents): Instance {
  const child = spawnProgram(spec)
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const endpoints = createAcknowledgements()
  const instance: Instance = {
    id: spec.id,
    service: spec.service.name,
    version: spec.version,
    revision: spec.revision,
    pid: child.pid ?? null,
    phase: 'starting',
    port: 0,
    securePort: 0,
    send(message) {
      // A process that is just ending has closed its channel; its exit is told by itself.
      if (child.connected) child.send(message, () => undefined)
    },
    endpointsTaken: endpoints.waitFor,
    async stop() {
      instance.phase = 'stopping'
      instance.send({ type: 'stop' })
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
      await gone
      clearTimeout(force)
    },
  }
  const late = setTimeout(() => child.kill('SIGKILL'), START_WITHIN_MS)
  const listen = async (port: number): Promise<void> => {
    instance.port = port
    while (!(await isHealthy(port)) && child.connected) await pause(ASK_AGAIN_AFTER_MS)
    if (instance.phase !== 'starting' || !child.connected) return
    clearTimeout(late)
    instance.phase = 'ready'
    events.onReady(instance)
  }
  child.on('message', (message: FromShop) => {
    if (message.type === 'ready') void listen(message.port)
    else if (message.type === 'secure-door') instance.securePort = message.port
    else endpoints.heard(message.revision)
  })
  forwardLines(child, (stream, line) => events.onLine(instance, stream, line))
  child.once('error', (error) => events.onLine(instance, 'stderr', `could not be started: ${error.message}`))
  child.once('close', (code, signal) => {
    clearTimeout(late)
    // Nobody has to wait for a process that is gone.
    endpoints.heard(Number.POSITIVE_INFINITY)
    events.onExit(instance, signal ? `was ended by ${signal}` : `exited with code ${code}`)
  })
  return instance
}

function spawnProgram({ id, service, version, dir }: InstanceSpec): ChildProcess {
  const settings: ShopSettings = {
    service: service.name,
    version,
    instance: id,
    heapLimitBytes: service.heapLimitMiB * MIB,
    callsOutside: service.callsOutside,
    dataDir: join(dir, 'data'),
  }
  return fork(programFile(service.name), [JSON.stringify(settings)], {
    execArgv: [`--max-old-space-size=${service.heapLimitMiB}`, `--max-semi-space-size=${SEMI_SPACE_MIB}`],
    env: { NODE_COMPILE_CACHE: join(dir, 'compile-cache') },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

async function isHealthy(port: number): Promise<boolean> {
  return getText(port, '/healthz', HEALTH_TIMEOUT_MS).then(
    () => true,
    () => false,
  )
}

function forwardLines(child: ChildProcess, onLine: (stream: 'stdout' | 'stderr', line: string) => void): void {
  const follow = (stream: 'stdout' | 'stderr', input: Readable | null): void => {
    if (input) createInterface({ input }).on('line', (line) => onLine(stream, line))
  }
  follow('stdout', child.stdout)
  follow('stderr', child.stderr)
}
