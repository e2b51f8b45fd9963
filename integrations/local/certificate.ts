import { generateKeyPairSync, sign } from 'node:crypto'

/** Object identifiers of X.509, as they are written in DER. */
const COMMON_NAME = Buffer.from('550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex')
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex')
const DNS_NAME = 0x82
const VERSION_3 = 2

export interface Validity {
  notBefore: Date
  notAfter: Date
}

/**
 * A key (P-256) and a certificate for it that it has signed itself, as PEM, one after the other. Node makes keys and signatures but no
 * certificates; this is as much of X.509 (RFC 5280) as a server on the loopback address needs.
 */
export function selfSigned(name: string, serial: number, { notBefore, notAfter }: Validity): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(der(0x06, ECDSA_WITH_SHA256))
  const subject = sequence(der(0x31, sequence(der(0x06, COMMON_NAME), der(0x0c, Buffer.from(name)))))
  const altName = sequence(der(0x06, SUBJECT_ALT_NAME), der(0x04, sequence(der(DNS_NAME, Buffer.from(name)))))
  const content = sequence(
    der(0xa0, integer(VERSION_3)),
    integer(serial),
    algorithm,
    subject,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(altName)),
  )
  const signature = der(0x03, Buffer.concat([Buffer.of(0), sign('sha256', content, privateKey)]))
  const certificate = sequence(content, algorithm, signature)
  return `${String(privateKey.export({ type: 'pkcs8', format: 'pem' }))}${pem(certificate)}`
}

/** Tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const bytes = length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff)
  return Buffer.concat([Buffer.of(tag), bytes, content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

/** Not negative, below 2³¹. */
function integer(value: number): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return der(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

/** Of a year before 2050. */
function utcTime(at: Date): Buffer {
  return der(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').replace(/.{1,64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`
}
