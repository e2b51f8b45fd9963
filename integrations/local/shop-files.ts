import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { selfSigned } from './certificate.ts'
import type { DesiredState } from './desired-state.ts'
import type { Equipment } from './equipment.ts'

const SERVER_NAME = 'shop.local'
const LIVE_FILE = 'orders.log'
const TRACE = /^trace-/
const BATCH = /^batch-(\d{1,9})$/

/** The certificates and journal files on the disk, as the desired state says they are. What is done already is not done again. */
export interface ShopFiles {
  start(): Promise<void>
}

export function createShopFiles({ dir, state }: { dir: string; state: DesiredState }): ShopFiles {
  const data = join(dir, 'data')
  const folders = { certificates: join(data, 'certificates'), journal: join(data, 'journal'), archive: join(data, 'archive') }
  let done = ''
  const apply = async (equipment: Equipment): Promise<void> => {
    const wanted = JSON.stringify([equipment.certificates, equipment.journal])
    if (wanted === done) return
    await makeCertificates(folders.certificates, equipment.certificates)
    await moveBatches(folders, equipment.journal)
    done = wanted
  }
  state.onChange(({ equipment }) => apply(equipment))
  return {
    async start() {
      for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true })
      await apply(state.current().equipment)
    },
  }
}

async function makeCertificates(folder: string, { made }: Equipment['certificates']): Promise<void> {
  const there = new Set(await readdir(folder))
  for (const { number, notBefore, notAfter } of made) {
    if (there.has(`${number}.pem`)) continue
    const pem = selfSigned(SERVER_NAME, number, { notBefore: new Date(notBefore), notAfter: new Date(notAfter) })
    await writeFile(join(folder, `${number}.pem`), pem, { mode: 0o600 })
  }
}

/**
 * Old files of the journal go into the archive, batch by batch, and come back when they are put back: nothing is deleted. A batch that the state
 * knows nothing of, and traces that nobody asks for any more, were a drill's, and go with it.
 */
async function moveBatches(folders: { journal: string; archive: string }, { mode, batches }: Equipment['journal']): Promise<void> {
  const there = (await readdir(folders.archive)).flatMap((name) => BATCH.exec(name)?.[1] ?? []).map(Number)
  for (const { number, where } of batches) {
    const batch = join(folders.archive, `batch-${number}`)
    if (where === 'archived' && !there.includes(number)) await moveFiles(folders.journal, batch, (name) => name !== LIVE_FILE)
    if (where === 'put-back' && there.includes(number)) {
      await moveFiles(batch, folders.journal, () => true)
      await rm(batch, { recursive: true })
    }
  }
  for (const number of there) {
    if (!batches.some((batch) => batch.number === number)) await rm(join(folders.archive, `batch-${number}`), { recursive: true })
  }
  if (mode === 'verbose' || batches.length > 0) return
  for (const name of await readdir(folders.journal)) if (TRACE.test(name)) await rm(join(folders.journal, name))
}

async function moveFiles(from: string, to: string, wanted: (name: string) => boolean): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const name of (await readdir(from)).filter(wanted)) await rename(join(from, name), join(to, name))
}
