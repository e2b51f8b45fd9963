import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type Settings } from './config.ts'

const NAME = 'audit-key.pem'

/**
 * The key that signs exports of the audit log: the configured one, or one in the data directory that is made when it is first needed.
 *
 * @throws ConfigError when it is no Ed25519 private key
 */
export function openAuditKey({ audit, dataDir }: Pick<Settings, 'audit' | 'dataDir'>): KeyObject {
  if (audit.key !== null) return parse(audit.key, 'STEADYHAND_AUDIT_KEY')
  const path = join(dataDir, NAME)
  return parse(readKey(path) ?? makeKey(dataDir, path), path)
}

function readKey(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function makeKey(dataDir: string, path: string): string {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  // Never over one that is there: what was signed with it could not be told from a forgery any more.
  writeFileSync(path, privateKey, { mode: 0o600, flag: 'wx' })
  return privateKey
}

function parse(text: string, where: string): KeyObject {
  try {
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Told below, without the key.
  }
  throw new ConfigError([`${where} is no Ed25519 private key in PEM: make one with "openssl genpkey -algorithm ed25519".`])
}
