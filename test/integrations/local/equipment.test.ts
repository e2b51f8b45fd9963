import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { selfSigned } from '../../../integrations/local/certificate.ts'
import {
  freshEquipment,
  lastArchived,
  moveBatch,
  nextBatch,
  nextCertificate,
  restartJob,
  restoredEquipment,
  showCertificate,
} from '../../../integrations/local/equipment.ts'

const AT = new Date('2026-03-14T02:10:00.000Z')
const DAY_MS = 86_400_000

test('a certificate that was made here is one: signed by its own key, for its name, with its dates', () => {
  const notAfter = new Date(AT.getTime() + 5 * DAY_MS)
  const pem = selfSigned('shop.local', 300, { notBefore: AT, notAfter })
  const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')))
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.checkHost('shop.local')).toBe('shop.local')
  expect(certificate.checkHost('elsewhere.local')).toBeUndefined()
  expect([certificate.validFromDate, certificate.validToDate]).toEqual([AT, notAfter])
  expect(Number.parseInt(certificate.serialNumber, 16)).toBe(300)
})

test('certificates are made in order, one that was made is shown again, and no other', () => {
  const fresh = freshEquipment(AT)
  const renewed = showCertificate(fresh, nextCertificate(fresh), AT, 5)
  expect(renewed.certificates).toMatchObject({ shown: 2, made: [{ number: 1 }, { number: 2, notAfter: '2026-03-19T02:10:00.000Z' }] })
  expect(showCertificate(renewed, 1, AT).certificates).toEqual({ ...renewed.certificates, shown: 1 })
  expect(showCertificate(renewed, 7, AT)).toBe(renewed)
})

test('batches are numbered once, and the one archived last is known', () => {
  const fresh = freshEquipment(AT)
  expect([lastArchived(fresh), nextBatch(fresh)]).toEqual([0, 1])
  const archived = moveBatch(moveBatch(fresh, 1, 'archived'), 2, 'archived')
  expect([lastArchived(archived), nextBatch(archived)]).toEqual([2, 3])
  const back = moveBatch(archived, 2, 'put-back')
  expect([lastArchived(back), nextBatch(back)]).toEqual([1, 3])
})

test('restoring renews what ends soon, forgets batches and starts a job that hangs', () => {
  const fresh = freshEquipment(AT)
  expect(restoredEquipment(fresh, AT)).toEqual(fresh)
  const worn = { ...showCertificate(fresh, 2, AT, 5), job: { run: 3, hungRun: 3 } }
  expect(restoredEquipment(moveBatch(worn, 1, 'archived'), AT)).toMatchObject({
    certificates: { shown: 3 },
    journal: { mode: 'terse', batches: [] },
    job: { run: 4, hungRun: null },
  })
  expect(restartJob(worn).job).toEqual({ run: 4, hungRun: 3 })
})
