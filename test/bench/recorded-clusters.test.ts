import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diagnoseCluster } from '../../agent/diagnosis/cluster/diagnose-cluster.ts'
import { readRecordings } from '../../bench/cases/recordings.ts'

/** Some of what `npm run bench -- record` wrote, of each system. */
const folder = join(import.meta.dirname, 'recorded-clusters')
const cases = await readRecordings(folder)

test('every labelled case is there', () => {
  const labels = readFileSync(join(folder, 'labels.jsonl'), 'utf8').trim().split('\n')
  expect(cases.map(({ label }) => label !== undefined)).toEqual(labels.map(() => true))
})

test.each(cases)('$id', ({ state, about, label }) => {
  const [first] = diagnoseCluster(state, about)
  expect({ class: first?.class, component: first?.component }).toEqual(label)
})
