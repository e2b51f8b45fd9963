import { describe, expect, it } from 'vitest'
import { placesIn } from '../../../agent/investigation/log-places.ts'

describe('places in the program that lines of a log name', () => {
  it.each<[string, string[]]>([
    ['    at charge (/app/dist/charge.js:10:5)', ['/app/dist/charge.js:10']],
    ['    at async file:///app/src/charge.ts:42:11', ['/app/src/charge.ts:42']],
    ['  File "/app/pool.py", line 88, in acquire', ['/app/pool.py:88']],
    ['\tat com.acme.Charge.run(Charge.java:42)', ['Charge.java:42']],
    ['goroutine 1: /src/payments/pool.go:88 +0x1d', ['/src/payments/pool.go:88']],
    ["app/models/charge.rb:17:in `save'", ['app/models/charge.rb:17']],
    ['{"stack":"Error\\n    at x (src/a.ts:1:2)","at":1}', ['src/a.ts:1']],
    ['connect to http://bank.example.sh:8080/charge failed after 30:12', []],
    ['charge.ts failed', []],
  ])('%s', (line, places) => expect(placesIn([line])).toEqual(places))

  it('are told once, and twenty at most', () => {
    expect(placesIn(['a.ts:1 b.ts:2', 'a.ts:1'])).toEqual(['a.ts:1', 'b.ts:2'])
    expect(placesIn([Array.from({ length: 90 }, (_, n) => `f${n}.ts:${n}`).join(' ')])).toHaveLength(20)
  })

  it('hold no secret, and cost nothing where a line is one long word', () => {
    expect(placesIn(['token=ghp_0123456789abcdefghijABCDEFGHIJ.ts:4']).join()).not.toContain('ghp_0123')
    expect(placesIn([`${'a/'.repeat(100_000)}.ts:1`])).toEqual([])
  })
})
