import type { Integration } from '../../../integrations/contract.ts'
import { createGithub } from '../../../integrations/github/index.ts'

/** What is read of one server, where payments is acme/payments. */
export function githubOf(said: {
  url: string
  environment?: string
  token?: string | null
  versions?: string
  now: () => Date
}): Integration & Required<Pick<Integration, 'repositories'>> {
  const { url, environment = 'production', token = 'hush', versions = '{version}', now } = said
  const repositories = { payments: { repository: 'acme/payments', versions, manifests: null } }
  const [github] = createGithub({ now }, [{ environment, url, token, writeToken: null, repositories, actions: [] }])
  if (!github?.repositories) throw new Error('repositories are what it is for')
  return { ...github, repositories: github.repositories }
}
