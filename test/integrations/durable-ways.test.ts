import { expect, test } from 'vitest'
import { repositoryKey } from '../../integrations/ports/durable-ways.ts'

test.each([
  ['https://github.com/acme/deploy.git', 'github.com/acme/deploy'],
  ['https://bot:correct-horse@GitHub.com/Acme/Deploy/', 'github.com/acme/deploy'],
  ['ssh://git@github.com:22/acme/deploy.git', 'github.com/acme/deploy'],
  ['git@github.com:acme/deploy.git', 'github.com/acme/deploy'],
  ['https://git.example.com/team/sub/deploy', 'git.example.com/team/sub/deploy'],
  ['', null],
  ['oci://registry.example.com/charts', null],
  ['charts', null],
])('%s is %s', (address, key) => expect(repositoryKey(address)).toBe(key))
