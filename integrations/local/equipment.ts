import { z } from 'zod'

const MAX_CERTIFICATES = 10
const MAX_BATCHES = 20
const DAY_MS = 86_400_000
/** How long a certificate is valid that is made here. */
const VALID_DAYS = 398
/** One with fewer days left is renewed when the target is put back. */
const ENOUGH_DAYS = 30

const certificateSchema = z.strictObject({ number: z.int().min(1), notBefore: z.iso.datetime(), notAfter: z.iso.datetime() })
const batchSchema = z.strictObject({ number: z.int().min(1), where: z.enum(['archived', 'put-back']) })

/** What the shop's services work with, beyond their programs: the certificate of the door, the journal of orders, the job that confirms them. */
export const equipmentSchema = z.strictObject({
  /** The newest last; each has a file of its number, and the one with the number `shown` is shown. */
  certificates: z.strictObject({ shown: z.int().min(1), made: z.array(certificateSchema).min(1).max(MAX_CERTIFICATES) }),
  /** `verbose`: traces of whole orders are written until the directory is full. Batches are what was ever taken out of it. */
  journal: z.strictObject({ mode: z.enum(['terse', 'verbose']), batches: z.array(batchSchema).max(MAX_BATCHES) }),
  /** The run of the job that is wanted, and the one that hangs, if any. */
  job: z.strictObject({ run: z.int().min(1), hungRun: z.int().nullable() }),
})
export type Equipment = z.infer<typeof equipmentSchema>
export type CertificateDates = z.infer<typeof certificateSchema>

export function freshEquipment(at: Date): Equipment {
  return {
    certificates: { shown: 1, made: [certificateOf(1, at, VALID_DAYS)] },
    journal: { mode: 'terse', batches: [] },
    job: { run: 1, hungRun: null },
  }
}

export function nextCertificate({ certificates }: Equipment): number {
  return (certificates.made.at(-1)?.number ?? 0) + 1
}

/** Shows the certificate of this number: one that was made before, or the next one, which is made now. Unchanged when it is neither. */
export function showCertificate(equipment: Equipment, number: number, at: Date, days = VALID_DAYS): Equipment {
  const { made } = equipment.certificates
  if (made.some((known) => known.number === number)) return { ...equipment, certificates: { made, shown: number } }
  if (number !== nextCertificate(equipment)) return equipment
  const issued = [...made, certificateOf(number, at, days)].slice(-MAX_CERTIFICATES)
  return { ...equipment, certificates: { made: issued, shown: number } }
}

/** The number of the batch that was archived last and not put back; 0 when there is none. */
export function lastArchived({ journal }: Equipment): number {
  return Math.max(0, ...journal.batches.filter(({ where }) => where === 'archived').map(({ number }) => number))
}

export function nextBatch({ journal }: Equipment): number {
  return Math.max(0, ...journal.batches.map(({ number }) => number)) + 1
}

export function moveBatch(equipment: Equipment, number: number, where: 'archived' | 'put-back'): Equipment {
  const others = equipment.journal.batches.filter((batch) => batch.number !== number)
  return { ...equipment, journal: { ...equipment.journal, batches: [...others, { number, where }].slice(-MAX_BATCHES) } }
}

export function restartJob(equipment: Equipment): Equipment {
  return { ...equipment, job: { ...equipment.job, run: equipment.job.run + 1 } }
}

/** As in a fresh shop, with everything that was made since under a number of its own. */
export function restoredEquipment(equipment: Equipment, at: Date): Equipment {
  const { certificates, job } = equipment
  const shown = certificates.made.find(({ number }) => number === certificates.shown)
  const lasts = shown !== undefined && Date.parse(shown.notAfter) - at.getTime() > ENOUGH_DAYS * DAY_MS
  const hangs = job.hungRun === job.run
  return {
    ...(lasts ? equipment : showCertificate(equipment, nextCertificate(equipment), at)),
    journal: { mode: 'terse', batches: [] },
    job: { run: hangs ? job.run + 1 : job.run, hungRun: null },
  }
}

/** Valid since as long ago as it takes to leave this many days of the whole time. */
function certificateOf(number: number, at: Date, daysLeft: number): CertificateDates {
  const notAfter = at.getTime() + daysLeft * DAY_MS
  return { number, notBefore: new Date(notAfter - VALID_DAYS * DAY_MS).toISOString(), notAfter: new Date(notAfter).toISOString() }
}
