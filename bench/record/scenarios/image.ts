import { type Fault, type PodReport, type Scenarios, type Target, waiting } from '../scenario.ts'

export const imageScenarios: Scenarios = {
  incorrect_image_reference: (target) => {
    const image = target.pick([
      `${target.system.registry}/${target.app.name}:1.15.0-rc9`,
      `${target.system.registry}/${target.app.name}-svc:latest`,
      `${target.system.registry}/${target.app.name}::v2`,
    ])
    const missing = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`
    const invalid = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`
    return target.variant === 2
      ? unpulled(target, image, 'InvalidImageName', invalid, 'InspectFailed')
      : unpulled(target, image, target.pick(['ImagePullBackOff', 'ErrImagePull']), missing)
  },
  missing_image_pull_secret: (target) => {
    const image = `${target.pick(['private.example:5000', 'ghcr.example/internal', 'docker.io/closed'])}/${target.app.name}:3.2`
    const reason = target.pick([
      'failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized',
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'unexpected status from HEAD request: 403 Forbidden',
    ])
    return unpulled(
      target,
      image,
      'ImagePullBackOff',
      `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": ${reason}`,
    )
  },
  image_registry_dns_failure: (target) => {
    const host = target.pick(['registry.intern.example', 'images.stay.example', 'mirror.chirp.example'])
    const image = `${host}/${target.app.name}:2.0`
    const reason = target.pick([
      `dial tcp: lookup ${host} on 10.96.0.10:53: no such host`,
      `dial tcp: lookup ${host} on 169.254.20.10:53: read udp: i/o timeout`,
      `dial tcp: lookup ${host}: Temporary failure in name resolution`,
    ])
    return unpulled(
      target,
      image,
      'ErrImagePull',
      `failed to pull and unpack image "${image}": failed to do request: Head "https://${host}/v2/": ${reason}`,
    )
  },
}

function unpulled({ app, callers, system }: Target, image: string, state: string, message: string, reason = 'Failed'): Fault {
  const report: PodReport = {
    phase: 'Pending',
    container: waiting(state, state === 'ImagePullBackOff' ? `Back-off pulling image "${image}"` : message),
  }
  const about = { app: app.name }
  return {
    component: `app/${app.name}`,
    question: `Why is ${callers[0]?.name ?? app.name} answering errors?`,
    changes: { [app.name]: { container: { image } } },
    reports: { [app.name]: report },
    events: [
      {
        about,
        reason,
        message: reason === 'Failed' ? `Failed to pull image "${image}": ${message}` : message,
        first: 12,
        last: 1,
        count: 6,
      },
      { about, reason: 'BackOff', message: `Back-off pulling image "${image}"`, first: 11, last: 1, count: 40 },
    ],
    logs: Object.fromEntries(
      callers.map(({ name }) => [name, [system.line('ERROR', `call to ${app.name}:${app.port} failed: connection refused`)]]),
    ),
  }
}
