import { describe, expect, it } from 'vitest'
import { alertSchema } from '../../../agent/domain/alert.ts'
import { parseGenericWebhook } from '../../../integrations/generic/webhook.ts'

const parse = (value: unknown) => parseGenericWebhook(new TextEncoder().encode(JSON.stringify(value)))

const full = {
  name: 'HighErrorRate',
  service: 'payments',
  environment: 'shop',
  severity: 'sev2',
  status: 'resolved',
  summary: 'more than 5 % fail',
  startsAt: '2026-03-01T10:42:00Z',
  endsAt: '2026-03-01T10:50:00Z',
  key: 'payments-errors',
  link: 'https://status.example/1',
  metric: 'error_ratio',
  threshold: 0.05,
  labels: { team: 'money', tries: 3, deep: {} },
}

describe('the generic webhook', () => {
  it('reads every field it describes', () => {
    const parsed = parse(full)
    expect(parsed).toEqual({
      ok: true,
      unusable: 0,
      truncated: 0,
      alerts: [
        {
          source: 'generic',
          key: 'payments-errors',
          name: 'HighErrorRate',
          status: 'resolved',
          level: 'high',
          service: 'payments',
          environment: 'shop',
          summary: 'more than 5 % fail',
          labels: { team: 'money', tries: '3', severity: 'sev2' },
          annotations: {},
          startsAt: '2026-03-01T10:42:00.000Z',
          endsAt: '2026-03-01T10:50:00.000Z',
          link: 'https://status.example/1',
          trigger: { service: 'payments', metric: 'error_ratio', comparator: '>', threshold: 0.05 },
        },
      ],
    })
    expect(parsed.ok && alertSchema.safeParse(parsed.alerts[0]).success).toBe(true)
  })

  it('needs a name and nothing else', () => {
    const parsed = parse({ name: 'x' })
    expect(parsed).toMatchObject({
      ok: true,
      alerts: [{ name: 'x', status: 'firing', level: null, service: null, startsAt: null, trigger: null }],
    })
  })

  it.each([[[full, full]], [{ alerts: [full, full] }]])('takes lists', (body) => {
    expect(parse(body)).toMatchObject({ ok: true, alerts: [{ name: 'HighErrorRate' }, { name: 'HighErrorRate' }] })
  })

  it('makes one key of name, service and environment where none is given', () => {
    const key = (said: object) => {
      const parsed = parse({ name: 'x', service: 's', ...said })
      return parsed.ok ? parsed.alerts[0]?.key : null
    }
    expect(key({ summary: 'one' })).toBe(key({ summary: 'two', status: 'resolved' }))
    expect(key({})).not.toBe(key({ environment: 'prod' }))
  })

  it.each([
    [7, 'foreign'],
    [null, 'foreign'],
    [{ title: 'x' }, 'foreign'],
    [{ alerts: {} }, 'foreign'],
    [[], 'no-usable-alert'],
    [{ alerts: [] }, 'no-usable-alert'],
    [[{ name: '' }, { name: 'x', status: 'open' }], 'no-usable-alert'],
  ])('says what is wrong with %j', (body, code) => {
    expect(parse(body)).toMatchObject({ ok: false, code })
  })

  it('leaves out what is unusable and bounds the list', () => {
    expect(parse([{ name: 'a' }, { name: 5 }, 'b'])).toMatchObject({ ok: true, unusable: 2 })
    expect(parse(Array.from({ length: 1_100 }, (_, i) => ({ name: `a${i}` })))).toMatchObject({ ok: true, truncated: 100 })
  })
})
