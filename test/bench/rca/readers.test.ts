import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCsv } from '../../../bench/rca/csv.ts'
import { readNezha } from '../../../bench/rca/nezha.ts'
import { readPetShop } from '../../../bench/rca/petshop.ts'
import { run } from '../../../bench/rca/run.ts'
import { readSockShop } from '../../../bench/rca/sockshop.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'steadyhand-rca-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function write(path: string, text: string): string {
  const whole = join(dir, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, text)
  return whole
}

const rows = (from: number, count: number, cells: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${from + i},${cells(i)}\n`).join('')

test('a quoted cell may hold commas and quotes', () => {
  expect(readCsv(write('quoted.csv', 'a,"b,""c""",d\n,,\n'))).toEqual([
    ['a', 'b,"c"', 'd'],
    ['', '', ''],
  ])
})

test('Sock Shop: what is normal lies before what is not, and a late start moves the start', () => {
  write('sock/cart-cpu/1/normal.csv', `time,cart_cpu,user_cpu\n${rows(9_000, 200, () => '1,1')}`)
  write('sock/cart-cpu/1/anomalous.csv', `time,cart_cpu,user_cpu\n${rows(500, 100, () => '90,1')}`)
  const [only, ...more] = readSockShop(join(dir, 'sock'), 60)
  expect(more).toEqual([])
  expect(only).toMatchObject({ id: 'cart-cpu/1', truth: 'cart', question: { noticedAt: 560 } })
  expect(only?.question.tracks[0]).toMatchObject({ component: 'cart', metric: 'cpu', kind: 'cpu' })
  expect(only?.question.tracks[0]?.points[0]).toEqual([300, 1])
})

test('PetShop: the recording without an issue lies before it, per cent become shares, the graph is read by rows', () => {
  const header = 'm,web,web,db_remote\nmetric,latency,availability,latency\nstatistic,Average,Average,Average\nt,,,\n'
  write('pet/low/graph.csv', ',web,db_remote\nweb,0.0,1.0\ndb_remote,0.0,0.0\n')
  write('pet/low/noissue/metrics.csv', `${header}100,0.1,100.0,\n400,0.1,99.0,0.2\n`)
  write('pet/low/test/issue_0/metrics.csv', `${header}9000,0.1,100.0,0.2\n9300,0.5,90.0,0.2\n`)
  write('pet/low/test/issue_0/target.json', '{"target":{"node":"web","metric":"latency","agg":"Average","timestamp":9310}}')
  const [only] = readPetShop(join(dir, 'pet'))
  expect(only).toMatchObject({ id: 'low/test/issue_0', truth: null, question: { calls: [{ from: 'web', to: 'db_remote' }] } })
  expect(only?.question.symptom).toEqual({ component: 'web', kind: 'latency' })
  expect(only?.question.seenByCallersOnly).toEqual(new Set(['db_remote']))
  const errors = only?.question.tracks.find(({ kind }) => kind === 'errors')
  expect(errors?.points.map(([at, value]) => [at, Math.round(value * 100) / 100])).toEqual([
    [8_400, 0],
    [8_700, 0.01],
    [9_000, 0],
    [9_300, 0.1],
  ])
})

test('Nezha: the text time counts, pods lose their hash, an address is no dependency', () => {
  const time = (minute: number): string => `2022-08-22 03:${String(minute).padStart(2, '0')}:10.123 +0000 UTC m=+1`
  const pod = Array.from({ length: 30 }, (_, i) => `${time(i)},17,cart-5f6585d649-fnmft,${i < 20 ? 1 : 90}\n`).join('')
  write('nezha/rca_data/2022-08-22/metric/cart-5f6585d649-fnmft_metric.csv', `Time,TimeStamp,PodName,CpuUsage(m)\n${pod}`)
  write('nezha/rca_data/2022-08-22/metric/dependency.csv', 'Source,Target,Weight\nweb,cart,1\ncart,33.33.33.80,1\n')
  write('nezha/rca_data/2022-08-22/2022-08-22-fault_list.json', '{"03":[{"inject_time":"2022-08-22 03:20:00"}]}')
  const [only] = readNezha(join(dir, 'nezha'))
  expect(only).toMatchObject({ id: '2022-08-22/2022-08-22 03:20:00', truth: null, question: { calls: [{ from: 'web', to: 'cart' }] } })
  expect(only?.question.tracks.map(({ component, kind, points }) => [component, kind, points.length])).toEqual([['cart', 'cpu', 25]])
})

test('all three kinds below one folder are ranked in one run; what is not labelled has a time only', async () => {
  const figures = await run({ data: dir, out: join(dir, 'out.jsonl'), rounds: null, late: 0, only: null })
  const names = figures.map(({ name, value }) => `${name}${name.endsWith('ranking') ? '' : ` ${value}`}`)
  expect(names).toContain('Sock Shop: Steadyhand top-1 1')
  expect(names.filter((name) => name.startsWith('PetShop') || name.startsWith('Nezha'))).toEqual([
    'PetShop: one ranking',
    'Nezha: one ranking',
  ])
})
