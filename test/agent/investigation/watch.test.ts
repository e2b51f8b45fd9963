import { beforeEach, describe, expect, it } from 'vitest'
import { createRecordsStore } from '../../../storage/records.ts'
import { describeDatabases } from '../../support/database.ts'
import { at, breakPayments, createInvestigationHarness, type InvestigationHarness } from '../../support/investigation-harness.ts'

const signal = (): AbortSignal => new AbortController().signal

describeDatabases('watching an incident', (store) => {
  const database = store.perTest()
  let harness: InvestigationHarness
  const look = async (id: string, second: number, acted = false) => {
    harness.goTo(second)
    return await harness.investigation.watch(id, signal(), { acted })
  }
  const kinds = async (id: string) => (await harness.incidents.timeline(id)).map(({ kind }) => kind)
  beforeEach(() => {
    harness = createInvestigationHarness(database())
  })

  it('notes that a blip healed, once it has been gone for five seconds', async () => {
    harness.shop.set('payments', 'error_ratio', 0.7, at(0), at(8))
    const id = await harness.open()
    expect((await harness.investigation.run(id, signal())).hypotheses[0]?.class).toBe('unknown')
    for (const second of [6, 8, 10, 11]) expect(await look(id, second)).toEqual({ result: 'waiting', lookAgainAt: at(second + 1) })
    expect(await look(id, 12)).toEqual({ result: 'healed' })
    expect(await harness.incidents.get(id)).toMatchObject({ state: 'healed', endedAt: at(12) })
    expect((await harness.incidents.timeline(id)).at(-1)).toMatchObject({
      kind: 'incident-healed',
      text: 'It healed by itself. Errors of payments: 0.0 % now, not above the limit of 20.0 % since 10:42:08 UTC.',
    })
    const [first, second] = await harness.incidents.hypotheses(id)
    expect(first).toMatchObject({
      rank: 1,
      class: 'resolved_by_itself',
      component: 'service/payments',
      since: at(8),
      claims: [{ supported: true }],
    })
    expect(second).toMatchObject({ rank: 2, class: 'unknown' })
    expect(await look(id, 20)).toEqual({ result: 'not-observing' })
  })

  it('does not say that it healed by itself where something was carried out, and leaves the diagnosis', async () => {
    breakPayments(harness)
    harness.shop.set('payments', 'error_ratio', 0, at(8))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    const before = await harness.incidents.hypotheses(id)
    expect(before[0]?.class).toBe('bad_release')
    expect(await look(id, 14, true)).toEqual({ result: 'healed' })
    const last = (await harness.incidents.timeline(id)).at(-1)
    expect(last).toMatchObject({
      kind: 'symptom-gone',
      text: 'The symptom is gone: Errors of payments: 0.0 % now, not above the limit of 20.0 % since 10:42:08 UTC. Something was done in this incident, so it is not said to have healed by itself.',
    })
    expect(await harness.incidents.hypotheses(id)).toEqual(before)
  })

  it('does not say that it healed by itself where a drill put the target back', async () => {
    breakPayments(harness)
    harness.shop.set('payments', 'error_ratio', 0, at(8))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    const before = await harness.incidents.hypotheses(id)
    await harness.incidents.record(id, { kind: 'target-put-back', text: 'The drill bad-release is over.' })
    expect(await look(id, 14)).toEqual({ result: 'healed' })
    expect((await harness.incidents.timeline(id)).at(-1)).toMatchObject({
      kind: 'symptom-gone',
      text: expect.stringContaining("The drill's clean-up put the target back, so it is not said to have healed by itself."),
    })
    expect(await harness.incidents.hypotheses(id)).toEqual(before)
    const records = createRecordsStore(database())
    const { items } = await records.incidents({ from: new Date(0), to: new Date('2100-01-01'), service: null, limit: 10 })
    expect(items).toMatchObject([{ id, ending: 'gone' }])
  })

  describe('while another alert of the incident still fires', () => {
    const LATENCY = { service: 'checkout', metric: 'latency_p99', comparator: '>', threshold: 1 } as const
    const healedBut = async (still: Parameters<InvestigationHarness['attach']>[1]): Promise<string> => {
      harness.shop.set('payments', 'error_ratio', 0.7, at(0), at(3))
      const id = await harness.open()
      await harness.investigation.run(id, signal())
      await harness.attach(id, { source: 'alertmanager', key: 'theirs', ...still })
      return id
    }
    it.each([
      ['of a service that nobody measures', { service: 'billing' }],
      ['of a service whose state was not read', { service: 'checkout' }],
      ['that names no service', { service: null }],
      ['whose metric nobody knows', { trigger: { service: 'payments', metric: 'queue_depth', comparator: '>', threshold: 5 } }],
      ['whose own metric has no samples', { service: 'billing', trigger: { ...LATENCY, service: 'billing' } }],
    ] as const)('%s, it stays open', async (_what, still) => {
      const id = await healedBut(still)
      expect((await look(id, 12)).result).not.toBe('healed')
      expect((await harness.incidents.get(id))?.state).toBe('observing')
    })

    it('whose own metric is still too high, it stays open, and ends when that is over too', async () => {
      harness.shop.set('checkout', 'latency_p99', 3, at(0), at(20))
      const id = await healedBut({ service: 'checkout', trigger: LATENCY })
      expect((await look(id, 12)).result).not.toBe('healed')
      expect((await look(id, 26)).result).toBe('healed')
    })

    it.each([
      ['whose own metric was read as healthy', { service: 'checkout', trigger: LATENCY }],
      ['of the service that was read as healthy', { service: 'payments' }],
      ['that has ended since', { service: 'billing', status: 'resolved' }],
    ] as const)('%s, it is over', async (_what, still) => {
      expect((await look(await healedBut(still), 12)).result).toBe('healed')
    })
  })

  it('is not fooled by a pause of a few seconds', async () => {
    harness.shop.set('payments', 'error_ratio', 0.7, at(0), at(8))
    harness.shop.set('payments', 'error_ratio', 0.7, at(11))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    for (const second of [9, 10, 12, 15]) expect((await look(id, second)).result).toBe('waiting')
  })

  it('does not take silence for health', async () => {
    harness.shop.set('payments', 'error_ratio', 0.7, at(0))
    harness.shop.silentFrom(at(6))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    expect((await look(id, 12)).result).toBe('waiting')
    expect((await look(id, 18)).result).toBe('waiting')
    expect((await look(id, 300)).result).toBe('investigated')
    expect((await harness.incidents.get(id))?.state).toBe('observing')
  })

  it('investigates again after fifteen seconds, five rounds in all', async () => {
    harness.shop.set('payments', 'error_ratio', 0.7, at(0))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    const results: string[] = []
    for (let second = 5; second <= 120; second += 1) results.push((await look(id, second)).result)
    expect(results.flatMap((result, i) => (result === 'investigated' ? [i + 5] : []))).toEqual([19, 34, 49, 64])
    expect((await kinds(id)).filter((kind) => kind === 'diagnosis-made')).toHaveLength(5)
  })

  it('investigates sooner when another alert came, and hands on what it found', async () => {
    harness.shop.set('payments', 'error_ratio', 0.6, at(0))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    breakPayments(harness)
    await harness.attach(id, { key: 'other', name: 'HighErrorRatio', service: 'checkout' })
    expect((await look(id, 5)).result).toBe('waiting')
    expect(await look(id, 6)).toMatchObject({
      result: 'investigated',
      diagnosis: {
        hypotheses: expect.arrayContaining([expect.objectContaining({ rank: 1, class: 'bad_release' })]),
        corroborated: true,
        symptomActive: true,
      },
    })
    expect((await look(id, 9)).result).toBe('waiting')
  })

  it('does not take calm from before the alert for its end: scrapes may be slower than the alert', async () => {
    const id = await harness.open({ startsAt: at(3).toISOString() })
    expect(await harness.investigation.run(id, signal())).toMatchObject({ symptomActive: true })
    for (const second of [5, 7]) expect((await look(id, second)).result).toBe('waiting')
  })

  it('says so when the metrics never showed what the alert says', async () => {
    const id = await harness.open({ startsAt: at(3).toISOString() })
    await harness.investigation.run(id, signal())
    expect((await look(id, 9)).result).toBe('healed')
    expect((await harness.incidents.hypotheses(id))[0]).toMatchObject({ rank: 1, class: 'false_alarm', claims: [{ supported: true }] })
    expect((await harness.incidents.timeline(id)).at(-1)?.text).toMatch(
      /^The alert contradicts the telemetry\. Errors of payments: 0\.0 % now/,
    )
  })

  it('goes by the sources’ word where no metric is stated', async () => {
    const id = await harness.open({ trigger: null })
    await harness.attach(id, { key: 'b', trigger: null })
    await harness.investigation.run(id, signal())
    harness.goTo(10)
    await harness.attach(id, { status: 'resolved', trigger: null })
    expect((await look(id, 18)).result).toBe('waiting')
    await harness.attach(id, { key: 'b', status: 'resolved', trigger: null })
    expect((await look(id, 18.9)).result).toBe('waiting')
    expect((await look(id, 23)).result).toBe('healed')
    expect((await harness.incidents.hypotheses(id))[0]).toMatchObject({
      class: 'resolved_by_itself',
      component: 'service/payments',
      claims: [{ supported: true }],
    })
    expect((await harness.incidents.evidence(id)).at(-1)).toMatchObject({
      kind: 'alerts',
      trust: 'log',
      content: { alerts: [{ status: 'resolved' }, { status: 'resolved' }] },
    })
  })

  it.each(['open', 'investigating', 'awaiting-approval', 'acting', 'verifying', 'resolved', 'healed'] as const)(
    'leaves an incident alone that is %s',
    async (state) => {
      const id = await harness.open()
      await harness.incidents.record(id, { kind: 'state-changed', text: 'x', state })
      expect(await look(id, 60)).toEqual({ result: 'not-observing' })
      expect(harness.shop.reads()).toBe(0)
    },
  )

  it('heals once when two look at the same time', async () => {
    harness.shop.set('payments', 'error_ratio', 0.7, at(0), at(3))
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    harness.goTo(12)
    const both = await Promise.all([harness.investigation.watch(id, signal()), harness.investigation.watch(id, signal())])
    expect(both.map(({ result }) => result).sort()).toEqual(['healed', 'not-observing'])
    expect((await kinds(id)).filter((kind) => kind === 'incident-healed')).toHaveLength(1)
  })

  it('stops when it is told to', async () => {
    const id = await harness.open()
    await harness.investigation.run(id, signal())
    await expect(harness.investigation.watch(id, AbortSignal.abort(new Error('shutting down')))).rejects.toThrow('shutting down')
  })
})
