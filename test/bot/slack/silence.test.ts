import { expect, onTestFinished, test } from 'vitest'
import type { ProposeDeps } from '../../../agent/actions/propose.ts'
import { createAlertmanager } from '../../../integrations/alertmanager/index.ts'
import type { Action } from '../../../integrations/ports/action.ts'
import { type AlertmanagerServer, startAlertmanagerServer } from '../../support/alertmanager/server.ts'
import { describeDatabases, moveClock } from '../../support/database.ts'
import { anAlert } from '../../support/edge/edge-harness.ts'
import { openScene, type SlackScene } from '../../support/edge/slack-edge.ts'
import { createFakeTarget } from '../../support/fake-target.ts'
import type { SlackMessage } from '../../support/slack/world.ts'

const LONG = { timeout: 25_000 }
/** What is watched for some seconds is waited for on a loaded machine. */
const PATIENCE_MS = 120_000
/** Those of `anAlert`. */
const LABELS = { alertname: 'HighErrorRatio', environment: 'local', service: 'payments', severity: 'critical' }
const asking = { rule: 'silences', role: 'approver', needed: 1, requesterMayApprove: false, ttlSeconds: 600, cooldownSeconds: 60 } as const
const policy: ProposeDeps['policy'] = () => ({ decide: 'ask', asking: { ...asking, typed: false } })

interface Silence {
  status: { state: string }
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[]
  startsAt: string
  endsAt: string
  comment: string
}
const silencesAt = async ({ url }: AlertmanagerServer): Promise<Silence[]> =>
  (await (await fetch(`${url}/api/v2/silences`)).json()) as Silence[]

describeDatabases(
  'a silence that is asked for on Slack',
  (store) => {
    const database = store.perTest()
    /** An incident about an alert that fires at Alertmanager, and somebody who wants it silent for half an hour. */
    const openAsked = async (
      change: (action: Action) => Action,
      now: () => Date,
    ): Promise<{ scene: SlackScene; server: AlertmanagerServer; asked: SlackMessage }> => {
      const server = await startAlertmanagerServer()
      onTestFinished(server.stop)
      await server.fire(LABELS)
      const { id, actions = [] } = createAlertmanager({ now }, [{ environment: 'local', url: server.url, token: null }])
      const target = createFakeTarget(() => new Date())
      target.provider = { ...target.provider, id, actions: actions.map(change) }
      const scene = await openScene(database(), { target, policy, slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } })
      expect((await scene.running.client().post('/webhooks/alertmanager', anAlert())).status).toBe(202)
      await scene.alice.mention(scene.channel, 'do silence payments minutes=30', await scene.message('Sev '))
      return { scene, server, asked: await scene.message('Approve?') }
    }

    test('is carried out once, as somebody else who may approved it, and the incident stays open', async () => {
      const { scene, server, asked } = await openAsked(
        (action) => action,
        () => new Date(),
      )
      const { slack, running, alice, bob, carol, told, says } = scene
      expect(asked.text).toContain('Silence HighErrorRatio of payments for 30 minutes')
      await bob.click(asked, 'Approve', { confirm: true })
      await told(bob, /You do not hold the role.*Who may: Carol/)
      await alice.click(asked, 'Approve', { confirm: true })
      await told(alice, /somebody else has to approve it.*Who may: Carol/)
      expect(server.changes()).toBe(0)

      await carol.click(asked, 'Approve', { confirm: true })
      await says(asked, 'Verified')
      expect(server.changes()).toBe(1)
      const [silence, ...more] = await silencesAt(server)
      expect(more).toEqual([])
      expect(silence?.status.state).toBe('active')
      expect(silence?.matchers.toSorted((one, other) => one.name.localeCompare(other.name))).toEqual(
        Object.entries(LABELS).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
      )
      expect(Date.parse(silence?.endsAt ?? '') - Date.parse(silence?.startsAt ?? '')).toBeLessThanOrEqual(30 * 60_000)
      const { items } = await running.agent.approvals({ limit: 2 })
      expect(items).toMatchObject([{ votes: [{ person: 'carol' }], execution: { state: 'verified' } }])
      expect(silence?.comment).toContain(`execution ${items[0]?.execution?.id} of plan ${items[0]?.plan.id}`)
      await expect.poll(async () => (await running.agent.incident('inc-1'))?.incident.state, LONG).toBe('observing')
      expect(slack.violations).toEqual([])
    })

    test('is ended again when it does not hold, by itself, once, and its card says so', async () => {
      // The clock of Alertmanager is behind: it takes the silence, and begins it later.
      const ahead = (): Date => new Date(Date.now() + 600_000)
      const impatient = (action: Action): Action => ({
        ...action,
        success: (step, observation) => ({ ...action.success(step, observation), withinSeconds: 4 }),
      })
      const { scene, server, asked } = await openAsked(impatient, ahead)
      await scene.carol.click(asked, 'Approve', { confirm: true })
      await scene.says(asked, 'Did not help')
      expect((await silencesAt(server)).map(({ status }) => status.state)).toEqual(['pending'])
      // It can be kept for a minute.
      await moveClock(database(), 61)
      await scene.says(asked, 'Undone')
      expect((await silencesAt(server)).map(({ status }) => status.state)).toEqual(['expired'])
      expect(server.changes()).toBe(2)
      expect(scene.slack.violations).toEqual([])
    })
  },
  PATIENCE_MS,
)
